#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "apps/config/config.hpp"
#include "apps/serve/data_folder.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "certs/authority.hpp"
#include "provisioning/authority_issuer.hpp"
#include "provisioning/registry.hpp"
#include "storage/registry_store.hpp"

namespace iotsky::apps {

/// A data folder that is open: its lock, its CA, its registry. Confined to the main thread; the
/// registry is any-thread.
class Installation {
  public:
    /// Opens the folder of `config`, making what is missing; goes on with a restore that was cut
    /// short, and makes a backup before a database gets a new format (with `config_file`, the
    /// configuration's own file; empty: none). The registry is not started: set its listeners
    /// first. `clock` and `random` outlive it. `go_on`: asked while that backup is made. Errors:
    /// E5101, E5110 `go_on` said no, E5109, E1103 the clock is wrong, E1156, E1157 the folder,
    /// those of certs::Authority::open and storage::RegistryStore::open, each naming its file.
    [[nodiscard]] static Result<std::unique_ptr<Installation>> open(
        const Config& config, const Clock& clock, Random& random,
        const std::filesystem::path& config_file = {},
        const std::function<bool()>& go_on = [] { return true; });

    /// Makes the first admin token when the registry never had one, and writes it to
    /// DIR/admin.token (0600). After registry.start(). @return Whether it did.
    [[nodiscard]] Result<bool> make_first_token();
    [[nodiscard]] std::filesystem::path token_file() const { return folder.path() / "admin.token"; }

    DataFolder folder;
    certs::OpenedAuthority ca;
    std::unique_ptr<storage::RegistryStore> store;
    std::unique_ptr<provisioning::AuthorityIssuer> issuer;
    std::unique_ptr<provisioning::Registry> registry;
    bool first_start = false;  ///< this call set it up

  private:
    Installation(DataFolder opened_folder, certs::OpenedAuthority authority);
};

/// [defaults.class] as the registry has it.
[[nodiscard]] provisioning::ClassSettings class_settings(const ClassDefaults& defaults);

/// E1103 when the clock lies before the year in which this program was built: certificates would be
/// born wrong.
[[nodiscard]] Result<void> check_clock(WallTime now);

}  // namespace iotsky::apps
