#include "tests/system/crash/power.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace iotsky::crash {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = 4'096;

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A block that was not synced may be on the disk all the same: old and new ones mixed.
std::string mix(std::string synced, const std::string& written, SeededRandom& random) {
    if (random.below(4) == 0) {
        return synced;  // nothing of it
    }
    for (std::size_t at = 0; at < written.size(); at += kBlock) {
        const std::size_t size = std::min(kBlock, written.size() - at);
        const bool differs =
            synced.size() < at + size || synced.compare(at, size, written, at, size) != 0;
        if (differs && random.below(2) == 0) {
            synced.resize(std::max(synced.size(), at + size));
            synced.replace(at, size, written, at, size);
        }
    }
    return synced;
}

bool is_index(const fs::path& path) {
    return path.string().ends_with("-shm");  // shared memory, made anew by each start
}

}  // namespace

void Folder::begin_layer(const fs::path& data, const std::string& layer, unsigned sync_ms) {
    fs::copy(data, synced(), fs::copy_options::recursive);
    environment_ = {"LD_PRELOAD=" + layer, "UNRULY_ROOT=" + data.string(),
                    "UNRULY_SYNCED=" + synced().string(),
                    "UNRULY_SWITCH=" + (path() / "switch").string(),
                    "UNRULY_SYNC_MS=" + std::to_string(sync_ms)};
}

void Folder::cut_power(const fs::path& data, SeededRandom& random) const {
    for (const fs::path suffix :
         {"messages.db", "messages.db-wal", "registry.db", "registry.db-wal"}) {
        const fs::path live = data / suffix;
        const fs::path kept = synced() / suffix;
        if (fs::exists(live) && fs::exists(kept)) {
            std::ofstream(kept, std::ios::binary | std::ios::in)
                << mix(read(kept), read(live), random);
        }
    }
    for (const auto& entry : fs::directory_iterator(data)) {
        const fs::path kept = synced() / entry.path().filename();
        if (entry.is_regular_file() && (is_index(entry.path()) || !fs::exists(kept))) {
            fs::remove(entry.path());
        }
    }
    for (const auto& entry : fs::directory_iterator(synced())) {
        if (entry.is_regular_file()) {
            fs::copy_file(entry.path(), data / entry.path().filename(),
                          fs::copy_options::overwrite_existing);
        }
    }
}

void Folder::set_switch(const std::string& how) const {
    std::ofstream(path() / "switch") << how;
}

}  // namespace iotsky::crash
