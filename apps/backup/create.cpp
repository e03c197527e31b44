#include "apps/backup/create.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "apps/backup/names.hpp"
#include "certs/files.hpp"

namespace iotsky::apps::backup {
namespace {

namespace fs = std::filesystem;

/// Beside the databases: certificates, configuration, frames.
constexpr std::uint64_t kRoomForTheRest = 4U << 20U;

std::string host_name() {
    std::array<char, 256> text{};
    return ::gethostname(text.data(), text.size() - 1) == 0 ? text.data() : "";
}

/// The copies of the databases lie beside the backup while they are put into it.
Result<void> check_space(const fs::path& folder, std::uint64_t bytes) {
    const std::uint64_t needed = 2 * bytes + kRoomForTheRest;
    std::error_code fault;
    const fs::space_info space = fs::space(folder.empty() ? fs::path{"."} : folder, fault);
    if (fault || space.available >= needed) {
        return {};  // what cannot be asked is met when it is written
    }
    return make_error(Errc::io, "E5103", "No space for a backup in " + folder.string() + ".",
                      "It needs " + std::to_string(needed >> 20U) + " MB for a moment; " +
                          std::to_string(space.available >> 20U) + " MB are free.",
                      "Free some space (df -h shows where), or delete old backups (iotsky backup "
                      "list).");
}

/// Removes a file when it ends.
class Scratch {
  public:
    explicit Scratch(fs::path path) : path_(std::move(path)) { remove(); }
    ~Scratch() { remove(); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    [[nodiscard]] const fs::path& path() const noexcept { return path_; }

  private:
    void remove() noexcept {
        std::error_code ignored;
        fs::remove(path_, ignored);
    }
    fs::path path_;
};

Result<void> add_database(ArchiveWriter& archive, std::string_view name,
                          std::shared_ptr<storage::Snapshot> snapshot, const fs::path& scratch,
                          const GoOn& go_on) {
    const Scratch copy{scratch};
    IOTSKY_CHECK(snapshot->copy_to(copy.path(), [&](std::uint64_t) { return go_on(); }));
    snapshot.reset();
    return archive.add_file(name, copy.path(), go_on);
}

Result<void> add_files(ArchiveWriter& archive, const Sources& sources, const GoOn& go_on) {
    const fs::path& data = sources.data_folder;
    IOTSKY_TRY(names, names_in(data / "ca"));
    for (const std::string& name : names) {
        if (name.front() != '.') {  // else a write that was cut off
            IOTSKY_CHECK(archive.add_file("ca/" + name, data / "ca" / name, go_on));
        }
    }
    for (const char* name : {"admin.token", "server-ca.crt", "server-ca-next.crt"}) {
        std::error_code ignored;
        if (fs::exists(data / name, ignored)) {
            IOTSKY_CHECK(archive.add_file(name, data / name, go_on));
        }
    }
    for (const std::string& name : sources.config.names) {
        IOTSKY_CHECK(archive.add_file(std::string{kConfigFolder} + "/" + name,
                                      sources.config.folder / name, go_on));
    }
    return {};
}

Manifest manifest_of(const ArchiveWriter& archive, const Sources& sources) {
    std::error_code ignored;
    Manifest manifest;
    manifest.files = archive.files();
    manifest.config_file = sources.config.main;
    manifest.config_folder = sources.config.folder.string();
    manifest.config_in_data = !sources.config.main.empty() &&
                              fs::equivalent(sources.config.folder, sources.data_folder, ignored);
    return manifest;
}

}  // namespace

ConfigFiles config_files(const fs::path& main, const std::vector<Listener>& listeners) {
    ConfigFiles files;
    if (main.empty()) {
        return files;
    }
    const fs::path whole = fs::absolute(main).lexically_normal();
    files.folder = whole.parent_path();
    const auto add = [&](const fs::path& path) {
        const std::string name = path.lexically_relative(files.folder).generic_string();
        if (!is_known_path(std::string{kConfigFolder} + "/" + name)) {
            files.left_out.push_back(path);
        } else if (std::find(files.names.begin(), files.names.end(), name) == files.names.end()) {
            files.names.push_back(name);
        }
    };
    add(whole);
    files.main = files.names.empty() ? "" : files.names.front();
    if (files.main.empty()) {
        return files;  // the other files are parts of it
    }
    if (const auto parts = names_in(files.folder / "conf.d")) {  // else there are none
        for (const std::string& name : *parts) {
            if (fs::path{name}.extension() == ".toml") {
                add(files.folder / "conf.d" / name);
            }
        }
    }
    for (const Listener& listener : listeners) {
        if (!listener.anonymous_policy_file.empty()) {
            add(fs::absolute(listener.anonymous_policy_file).lexically_normal());
        }
    }
    return files;
}

Result<Sources> sources_at_rest(const fs::path& data_folder, ConfigFiles config) {
    Sources sources;
    sources.data_folder = data_folder;
    sources.config = std::move(config);
    IOTSKY_TRY(messages_format, storage::messages_format_of(data_folder / "messages.db"));
    if (messages_format != 0) {
        IOTSKY_TRY(messages, storage::Snapshot::of_messages(data_folder / "messages.db"));
        sources.messages = std::move(messages);
    }
    IOTSKY_TRY(registry, storage::Snapshot::of_registry(data_folder / "registry.db"));
    sources.registry = std::move(registry);
    return sources;
}

Result<Description> create_backup(Sources sources, const Order& order, Random& random,
                                  const GoOn& go_on) {
    const std::string partial = order.to.string() + std::string{kPartial};
    const std::string copy = order.to.string() + std::string{kPartialCopy};
    IOTSKY_CHECK(check_space(
        order.to.parent_path(),
        sources.registry->bytes() + (sources.messages ? sources.messages->bytes() : 0)));
    Description description;
    description.kind = order.kind;
    description.program = order.program;
    description.host = host_name();
    description.made_at = order.now;
    description.registry_format = sources.registry->format();
    description.messages_format = sources.messages ? sources.messages->format() : 0;
    description.encrypted = !order.passphrase.empty();

    const Scratch leftover{partial};  // also of a run that was killed
    IOTSKY_TRY(sealed,
               certs::SealedWriter::create(partial, format(description), order.passphrase, random));
    ArchiveWriter archive{*sealed, order.now};
    // The larger one first: while its snapshot is open, its write-ahead log grows.
    if (sources.messages) {
        IOTSKY_CHECK(
            add_database(archive, "messages.db", std::move(sources.messages), copy, go_on));
    }
    IOTSKY_CHECK(add_database(archive, "registry.db", std::move(sources.registry), copy, go_on));
    IOTSKY_CHECK(add_files(archive, sources, go_on));
    IOTSKY_CHECK(archive.add_text(kManifestPath, format(manifest_of(archive, sources))));
    IOTSKY_CHECK(archive.finish());
    IOTSKY_CHECK(certs::rename_durably(partial, order.to));
    return description;
}

}  // namespace iotsky::apps::backup
