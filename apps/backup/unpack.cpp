#include "apps/backup/unpack.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "apps/backup/archive.hpp"
#include "certs/sealed_file.hpp"
#include "storage/migrate.hpp"
#include "storage/snapshot.hpp"

namespace iotsky::apps::backup {
namespace {

namespace fs = std::filesystem;

Error newer(const fs::path& file, const Description& description) {
    return make_error(Errc::unsupported, "E5102", "This backup is from a newer version.",
                      file.string() + " was made by iotsky " + description.program + " (schema " +
                          std::to_string(description.registry_format) + " and " +
                          std::to_string(description.messages_format) + "; this program knows " +
                          std::to_string(storage::registry_schema().migrations.size()) + " and " +
                          std::to_string(storage::messages_schema().migrations.size()) + ").",
                      "Restore it with iotsky " + description.program +
                          " or later, or take an older backup (iotsky backup list).");
}

Result<void> check_passphrase(const fs::path& file, const Description& description,
                              std::string_view passphrase) {
    if (description.encrypted && passphrase.empty()) {
        return make_error(Errc::invalid_argument, "E5108", file.string() + " needs its passphrase.",
                          "The backup is encrypted.",
                          "Put it into a file (0600) and give --passphrase-file FILE, or run this "
                          "on a terminal.");
    }
    if (!description.encrypted && !passphrase.empty()) {
        return make_error(Errc::invalid_argument, "E5108", file.string() + " is not encrypted.",
                          "A passphrase was given, so another file may have taken its place.",
                          "Look at where the file comes from; if it is right, leave "
                          "--passphrase-file out.");
    }
    return {};
}

Result<Manifest> read_manifest(const fs::path& folder, const fs::path& file) {
    std::ifstream in{folder / kManifestPath, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    return parse_manifest(text, file);
}

bool lists(const Manifest& manifest, const std::string& path) {
    return std::any_of(manifest.files.begin(), manifest.files.end(),
                       [&](const FileEntry& entry) { return entry.path == path; });
}

/// A configuration has its main file, and no configuration has no files.
bool has_whole_config(const Manifest& manifest) {
    const std::string below = std::string{kConfigFolder} + "/";
    if (!manifest.config_file.empty()) {
        return lists(manifest, below + manifest.config_file);
    }
    return std::none_of(manifest.files.begin(), manifest.files.end(),
                        [&](const FileEntry& entry) { return entry.path.starts_with(below); });
}

/// The list is of all files but itself.
Result<void> compare(std::vector<FileEntry> found, const Manifest& manifest, const fs::path& file) {
    std::erase_if(found, [](const FileEntry& entry) { return entry.path == kManifestPath; });
    if (found != manifest.files) {
        return not_whole(file, "Its files are not those of its list.");
    }
    return has_whole_config(manifest)
               ? Result<void>{}
               : not_whole(file, "Its configuration is not the one that it names.");
}

void remove_side_files(const fs::path& database) {
    std::error_code ignored;
    fs::remove(database.string() + "-wal", ignored);
    fs::remove(database.string() + "-shm", ignored);
}

Result<void> check_databases(const fs::path& folder, const fs::path& file) {
    const auto as_ours = [&](const Error& error) {
        Error ours = not_whole(file, error.message);
        ours.detail = error.detail;
        return ours;
    };
    if (auto whole = storage::check_registry(folder / "registry.db"); !whole) {
        return as_ours(whole.error());
    }
    remove_side_files(folder / "registry.db");
    if (!fs::exists(folder / "messages.db")) {
        return {};
    }
    if (auto whole = storage::check_messages(folder / "messages.db"); !whole) {
        return as_ours(whole.error());
    }
    remove_side_files(folder / "messages.db");
    return {};
}

Result<void> check_has_ca(const fs::path& folder, const fs::path& file) {
    std::error_code ignored;
    return fs::exists(folder / "ca" / "device-ca.crt", ignored)
               ? Result<void>{}
               : not_whole(file, "The CA is missing in it.");
}

}  // namespace

Result<Description> describe(const fs::path& file) {
    IOTSKY_TRY(sealed, certs::SealedReader::open(file));
    return parse_description(sealed->header(), file);
}

Result<Unpacked> unpack(const fs::path& file, std::string_view passphrase, const fs::path& into) {
    IOTSKY_TRY(sealed, certs::SealedReader::open(file));
    IOTSKY_TRY(description, parse_description(sealed->header(), file));
    IOTSKY_CHECK(check_passphrase(file, description, passphrase));
    IOTSKY_CHECK(sealed->unlock(description.encrypted ? passphrase : std::string_view{}));
    if (description.registry_format > storage::registry_schema().migrations.size() ||
        description.messages_format > storage::messages_schema().migrations.size()) {
        return newer(file, description);
    }
    IOTSKY_TRY(found, extract(*sealed, into, file));
    IOTSKY_TRY(manifest, read_manifest(into, file));
    IOTSKY_CHECK(compare(std::move(found), manifest, file));
    return Unpacked{std::move(description), std::move(manifest)};
}

Result<Checked> check_unpacked(const fs::path& folder, const fs::path& file,
                               const certs::PassphraseSource& ca_passphrase,
                               const std::optional<certs::ServerNames>& names, WallTime now,
                               Random& random) {
    IOTSKY_CHECK(check_databases(folder, file));
    IOTSKY_CHECK(check_has_ca(folder, file));
    certs::AuthorityOptions options;
    options.data_folder = folder;
    options.passphrase = ca_passphrase;
    if (names) {
        options.names = *names;
    }
    auto opened = certs::Authority::open(options, now, random);
    Checked checked;
    if (!opened && opened.error().number == "E5207" && !names) {
        checked.keys_not_checked = true;
        return checked;
    }
    if (!opened) {
        return std::move(opened).error();
    }
    checked.ca_words = opened->authority->certificate(certs::CaRole::server).fingerprint().words();
    return checked;
}

}  // namespace iotsky::apps::backup
