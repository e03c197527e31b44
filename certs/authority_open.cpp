#include "certs/authority_open.hpp"

#include <system_error>
#include <utility>

#include "certs/files.hpp"

namespace iotsky::certs {
namespace {

namespace fs = std::filesystem;

fs::path client_file(const fs::path& data_folder, CaRole role) {
    return data_folder / (std::string{to_string(role)} + ".crt");
}

bool is_missing_or_empty(const fs::path& folder) {
    std::error_code error;
    if (!fs::exists(fs::symlink_status(folder, error))) {
        return true;
    }
    return fs::is_directory(folder, error) && fs::is_empty(folder, error) && !error;
}

/// A new CA would lock out every device of the old one; that must be somebody's decision.
Result<void> check_never_set_up(const fs::path& data_folder) {
    const fs::path trace = client_file(data_folder, CaRole::server);
    std::error_code ignored;
    if (!fs::exists(trace, ignored)) {
        return {};
    }
    return make_error(
        Errc::corrupt, "E5219",
        (data_folder / "ca").string() + " is missing, but " + trace.string() + " is there.",
        "A new CA would lock out every device that trusts the old one.",
        "Restore the folder from a backup. To start over without the old devices, "
        "remove " +
            trace.string() + ".");
}

/// Fills a folder under another name and renames it: DIR/ca is there whole or not at all.
Result<void> make_folder(const AuthorityOptions& options, const KeyStore& final_store,
                         std::optional<SecretString> passphrase, WallTime now, Random& random) {
    IOTSKY_CHECK(check_never_set_up(options.data_folder));
    std::error_code error;
    if (!fs::exists(options.data_folder, error)) {
        IOTSKY_CHECK(make_private_folder(options.data_folder));
    }
    const fs::path stage = options.data_folder / "ca.partial";
    fs::remove_all(stage, error);  // of a set-up that was cut off; no certificate left it
    IOTSKY_CHECK(make_private_folder(stage));
    const KeyStore store{stage, std::move(passphrase)};
    IOTSKY_CHECK(make_authority_files(store, options.names, options.site, now, random));
    return rename_durably(stage, final_store.folder());
}

Error plain_keys_warning(const KeyStore& store) {
    return make_error(Errc::permission_denied, "W5212",
                      "The CA keys in " + store.folder().string() + " are not encrypted.",
                      "Whoever can read this disk or a backup of it can make certificates.",
                      "Set passphrase_file, or give the systemd credential "
                      "iotsky-ca-passphrase; the keys are encrypted at the next start.");
}

/// A passphrase was given after the keys were made.
Result<void> encrypt_plain_keys(const KeyStore& store, AuthorityFiles& files) {
    for (const std::string& name : std::exchange(files.plain_keys, {})) {
        IOTSKY_TRY(loaded, store.load_key(name));
        IOTSKY_CHECK(store.save_key(name, loaded.key, IfExists::replace));
    }
    return {};
}

/// DIR/NAME.crt, a copy for clients. One with other content is left alone and told about.
Result<void> publish_client_file(const AuthorityOptions& options, CaRole role,
                                 PreparedAuthority& prepared) {
    const fs::path path = client_file(options.data_folder, role);
    const std::string& pem = prepared.files.authorities[static_cast<std::size_t>(role)].pem();
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path, ignored))) {
        return write_file(path, pem, FileKind::public_text);
    }
    const auto content = read_file(path, FileKind::public_text);
    if (!content || content->view() != pem) {
        prepared.warnings.push_back(make_error(
            Errc::conflict, "W5209", path.string() + " is not this broker's CA certificate.",
            content ? "Clients that are given this file will not trust the broker."
                    : content.error().message + " " + content.error().why,
            "Move it away; it is written anew at the next start."));
    }
    return {};
}

}  // namespace

Result<PreparedAuthority> prepare_authority(const AuthorityOptions& options, WallTime now,
                                            Random& random) {
    IOTSKY_TRY(passphrase, read_passphrase(options.passphrase));
    std::optional<SecretString> second;
    if (passphrase) {
        second = passphrase->clone();
    }
    KeyStore store{options.data_folder / "ca", std::move(passphrase)};
    const bool create = is_missing_or_empty(store.folder());
    if (create) {
        IOTSKY_CHECK(make_folder(options, store, std::move(second), now, random));
    }
    IOTSKY_CHECK(check_private_folder(store.folder()));
    IOTSKY_TRY(files, load_authority_files(store));
    PreparedAuthority prepared{std::move(store), std::move(files), {}, create};
    if (prepared.store.encrypts()) {
        IOTSKY_CHECK(encrypt_plain_keys(prepared.store, prepared.files));
    } else {
        prepared.warnings.push_back(plain_keys_warning(prepared.store));
    }
    IOTSKY_CHECK(publish_client_file(options, CaRole::server, prepared));
    IOTSKY_CHECK(publish_client_file(options, CaRole::server_next, prepared));
    return prepared;
}

}  // namespace iotsky::certs
