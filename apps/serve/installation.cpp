#include "apps/serve/installation.hpp"

#include "apps/backup/restore.hpp"
#include "apps/backup/service.hpp"
#include "apps/backup/shelf.hpp"
#include "apps/files.hpp"
#include "apps/serve/listeners.hpp"
#include "apps/serve/server_tls.hpp"

namespace iotsky::apps {
namespace {

provisioning::RegistryOptions registry_options(const ClassDefaults& defaults) {
    provisioning::RegistryOptions options;
    options.class_defaults = class_settings(defaults);
    return options;
}

Result<certs::OpenedAuthority> open_authority(const Config& config, WallTime now, Random& random) {
    IOTSKY_TRY(names, server_names(config.server));
    certs::AuthorityOptions options;
    options.data_folder = config.server.data_dir;
    options.passphrase = certs::passphrase_source(config.ca.passphrase_file);
    options.names = std::move(names);
    options.site = config.server.site;
    return certs::Authority::open(options, now, random);
}

/// Before anything is opened that a new version would change.
Result<void> prepare_folder(const Config& config, const std::filesystem::path& config_file,
                            WallTime now, Random& random, const backup::GoOn& go_on) {
    const std::filesystem::path& data = config.server.data_dir;
    IOTSKY_CHECK(backup::finish_restore(data));
    IOTSKY_TRY(passphrase, backup::read_passphrase_file(config.backup.passphrase_file));
    const backup::UpgradeOptions options{passphrase.view(), config.backup.keep,
                                         strictest_durability(config) != DurabilityMode::memory};
    IOTSKY_CHECK(backup::back_up_before_upgrade(
        data, backup::config_files(config_file, config.listeners), options, now, random, go_on));
    return {};
}

}  // namespace

provisioning::ClassSettings class_settings(const ClassDefaults& defaults) {
    provisioning::ClassSettings settings;
    settings.strict_isolation = defaults.strict_isolation;
    settings.on_denied_publish = defaults.on_denied_publish == OnDeniedPublish::ack
                                     ? provisioning::OnDeniedPublish::ack
                                     : provisioning::OnDeniedPublish::disconnect;
    settings.limits.things_per_project_max = defaults.things_per_project_max;
    settings.limits.messages_per_second = defaults.messages_per_second;
    settings.limits.burst = defaults.burst;
    settings.limits.payload_bytes_max = defaults.payload_bytes_max;
    settings.limits.retained_per_thing_max = defaults.retained_per_thing_max;
    settings.limits.queue_bytes_per_session_max = defaults.queue_bytes_per_session_max;
    return settings;
}

Result<void> check_clock(WallTime now) {
    const std::string today = format_utc(now).substr(0, 10);
    if (today.substr(0, 4) >= IOTSKY_BUILD_YEAR) {
        return {};
    }
    return make_error(
        Errc::io, "E1103", "The clock says " + today + ".", "Certificates would be born expired.",
        "Set it: sudo timedatectl set-time \"YYYY-MM-DD hh:mm\" (no internet needed), then run the "
        "command again.");
}

Installation::Installation(DataFolder opened_folder, certs::OpenedAuthority authority)
    : folder(std::move(opened_folder)), ca(std::move(authority)) {}

Result<std::unique_ptr<Installation>> Installation::open(const Config& config, const Clock& clock,
                                                         Random& random,
                                                         const std::filesystem::path& config_file,
                                                         const std::function<bool()>& go_on) {
    IOTSKY_CHECK(check_clock(clock.wall_now()));
    IOTSKY_TRY(folder, DataFolder::open(config.server.data_dir));
    IOTSKY_CHECK(prepare_folder(config, config_file, clock.wall_now(), random, go_on));
    const bool first = !folder.is_set_up();
    IOTSKY_TRY(ca, open_authority(config, clock.wall_now(), random));
    auto opened_store = storage::RegistryStore::open(folder.path() / "registry.db");
    if (!opened_store) {
        return backup::with_way_back(std::move(opened_store).error(), folder.path());
    }
    std::unique_ptr<Installation> opened{new Installation{std::move(folder), std::move(ca)}};
    opened->first_start = first;
    opened->store = std::move(*opened_store);
    opened->issuer = std::make_unique<provisioning::AuthorityIssuer>(opened->ca.authority,
                                                                     config.server.site, random);
    opened->registry = std::make_unique<provisioning::Registry>(
        *opened->store, *opened->issuer, clock, random, registry_options(config.class_defaults));
    return opened;
}

Result<bool> Installation::make_first_token() {
    const provisioning::Caller caller = provisioning::Caller::system();
    IOTSKY_TRY(known, registry->tokens.list(caller, {"", 1}));
    if (!known.items.empty()) {
        return false;  // also when it was revoked on purpose
    }
    provisioning::TokenRequest request;
    request.name = "first-admin";
    request.role = provisioning::Role::admin;
    IOTSKY_TRY(token, registry->tokens.create(caller, request));
    IOTSKY_CHECK(write_atomically(token_file(), std::string{token.token.view()} + "\n", 0600));
    return true;
}

}  // namespace iotsky::apps
