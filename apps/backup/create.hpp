#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/backup/archive.hpp"
#include "apps/backup/description.hpp"
#include "apps/config/load.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "storage/snapshot.hpp"

namespace iotsky::apps::backup {

/// Files that make up the configuration.
struct ConfigFiles {
    std::filesystem::path folder;    ///< of the main file; empty: the defaults are used
    std::string main;                ///< its name in there; empty: no configuration in the backup
    std::vector<std::string> names;  ///< all, relative to the folder
    /// Outside of the folder, or with a name that no backup has (is_known_path): not in a backup.
    std::vector<std::filesystem::path> left_out;
};
/// The main file, conf.d/*.toml beside it, and the policies that `listeners` name.
[[nodiscard]] ConfigFiles config_files(const std::filesystem::path& main,
                                       const std::vector<Listener>& listeners);

/// Where a backup is made from. The snapshots are let go as soon as they are copied.
struct Sources {
    std::filesystem::path data_folder;
    ConfigFiles config;
    std::shared_ptr<storage::Snapshot> messages;  ///< null: durability.mode = "memory"
    std::shared_ptr<storage::Snapshot> registry;
};

/// Snapshots of files that no broker of this process has open. Messages come first and the registry
/// second, so that what the registry revoked is revoked in the backup.
[[nodiscard]] Result<Sources> sources_at_rest(const std::filesystem::path& data_folder,
                                              ConfigFiles config);

struct Order {
    std::filesystem::path to;  ///< replaced when it is there
    Kind kind = Kind::made;
    std::string_view passphrase;  ///< empty: not encrypted
    std::string_view program;     ///< our version
    WallTime now{};
};

/// While a backup is made its files are called TO and these.
inline constexpr std::string_view kPartial = ".partial";
inline constexpr std::string_view kPartialCopy = ".partial.db";

/// Makes one backup: beside its name, synced, then renamed. Nothing is left of one that fails.
/// Thread: one that may take minutes. Errors: E5103 no space (says how much), E5109, E5110,
/// those of the snapshots.
[[nodiscard]] Result<Description> create_backup(Sources sources, const Order& order, Random& random,
                                                const GoOn& go_on);

}  // namespace iotsky::apps::backup
