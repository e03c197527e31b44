#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/backup/create.hpp"
#include "apps/backup/description.hpp"
#include "base/error.hpp"

namespace iotsky::apps::backup {

/// A backup that lies in DIR/backup.
struct Shelved {
    std::string name;  ///< without the extension: "auto-20261124T090711Z"
    std::filesystem::path file;
    std::uint64_t bytes = 0;
    Description description;
};

/// DIR/backup: backups by name, one file each, "NAME.backup". Any thread; holds nothing but its
/// path.
class Shelf {
  public:
    explicit Shelf(const std::filesystem::path& data_folder) : folder_(data_folder / "backup") {}

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
    /// Makes the folder (0700). Error: E1161.
    [[nodiscard]] Result<void> prepare() const;
    /// "made-TIME", "auto-TIME", "before-VERSION-TIME"; one that is free.
    [[nodiscard]] std::string new_name(Kind kind, std::string_view program, WallTime now) const;
    [[nodiscard]] std::filesystem::path file_of(std::string_view name) const;
    /// The newest first. Files that are no backups are left out.
    [[nodiscard]] std::vector<Shelved> list() const;
    /// By its name, or the newest whose name begins so.
    [[nodiscard]] std::optional<Shelved> find(std::string_view name) const;
    /// Error: E5111 no such backup.
    [[nodiscard]] Result<void> remove(std::string_view name) const;
    /// Deletes all of that kind but the newest `keep`. Those of a clock that was ahead (is_ahead())
    /// count as the oldest: nobody knows when they were made, and they must not outlive the rest.
    void keep_newest(Kind kind, std::size_t keep, WallTime now) const;
    /// When the newest of that kind was made; those of a clock that was ahead do not count.
    [[nodiscard]] std::optional<WallTime> newest(Kind kind, WallTime now) const;
    /// Deletes what a process that was killed left of a backup, while none is made.
    void remove_leftovers() const;

  private:
    std::filesystem::path folder_;
};

/// Whether it was made when the clock was wrong: later than now by more than a clock is set back by
/// on a usual day (an hour).
[[nodiscard]] bool is_ahead(WallTime made_at, WallTime now) noexcept;

[[nodiscard]] Error no_such_backup(std::string_view name);

struct UpgradeOptions {
    std::string_view passphrase;
    std::size_t keep = 1;
    bool opens_messages = true;  ///< false: durability.mode = "memory", messages.db stays as it is
};
/// When a database in `data_folder` will be brought to a new format at this start: makes a backup
/// of everything first, and keeps the newest `keep` such backups. The caller holds the folder's
/// lock, and no database is open. @return Its name; nullopt: nothing will change. Errors: E5101,
/// and the start must not go on; E5110 `go_on` said no.
[[nodiscard]] Result<std::optional<std::string>> back_up_before_upgrade(
    const std::filesystem::path& data_folder, ConfigFiles config, const UpgradeOptions& options,
    WallTime now, Random& random, const GoOn& go_on);

/// Completes E5312 (a newer format) with the backup of a format that this program can use, if there
/// is one; other errors are returned as they are.
[[nodiscard]] Error with_way_back(Error error, const std::filesystem::path& data_folder);

}  // namespace iotsky::apps::backup
