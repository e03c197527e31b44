// Kills a broker under load, again and again, and counts what it had acknowledged and lost.
//
//   crash_harness --program iotsky [--kills 10] [--cuts 3 --layer libunruly_disk.so] [--full 1]
//                 [--read-only 1] [--rate 5000] [--payload 100] [--seed 1] [--sync-ms 0]
//                 [--tmpfs MIB]
//
// kill: SIGKILL. cut: SIGKILL, and the folder goes back to what was synced, with a random part of
// what was not. full, read-only: the disk refuses for 1.5 s; nobody is cut off, nothing is lost,
// nothing is acknowledged until it works again. tmpfs: without the layer, on a real file system
// that is really full; exit code 77 where the machine lets nobody have mounts of his own.
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/system/crash/harness.hpp"

namespace iotsky::crash {
namespace {

unsigned* number_named(Options& options, const std::string& name) {
    const std::pair<const char*, unsigned*> all[] = {
        {"--kills", &options.kills},    {"--cuts", &options.cuts},
        {"--full", &options.full},      {"--read-only", &options.read_only},
        {"--rate", &options.rate},      {"--payload", &options.payload},
        {"--seed", &options.seed},      {"--sync-ms", &options.sync_ms},
        {"--tmpfs", &options.tmpfs_mib}};
    for (const auto& [known, number] : all) {
        if (name == known) {
            return number;
        }
    }
    return nullptr;
}

Options read_options(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        const std::string value = argv[i + 1];
        if (name == "--program") {
            options.program = value;
        } else if (name == "--layer") {
            options.layer = value;
        } else if (unsigned* number = number_named(options, name)) {
            *number = static_cast<unsigned>(std::stoul(value));
        } else {
            throw std::runtime_error("unknown option " + name);
        }
    }
    const bool real = options.tmpfs_mib > 0;
    const bool needs_layer =
        options.cuts + options.read_only + options.sync_ms + (real ? 0 : options.full) > 0;
    if (options.program.empty() || (needs_layer && options.layer.empty())) {
        throw std::runtime_error(
            "--program FILE is needed, and --layer FILE for anything but kills");
    }
    return options;
}

}  // namespace
}  // namespace iotsky::crash

int main(int argc, char** argv) {
    try {
        const auto options = iotsky::crash::read_options(argc, argv);
        std::cout << "seed " << options.seed << std::endl;
        if (options.tmpfs_mib > 0 && !iotsky::crash::SmallDisk::own_mounts()) {
            std::cout << "skipped: this machine lets nobody have mounts of his own" << std::endl;
            return 77;
        }
        iotsky::crash::Harness harness(options);
        const auto findings = harness.run();
        std::cout << harness.summary() << (findings.good() ? "GOOD" : "BAD") << std::endl;
        return findings.good() ? 0 : 1;
    } catch (const std::exception& failure) {
        std::cout << "failed: " << failure.what() << std::endl;
        return 2;
    }
}
