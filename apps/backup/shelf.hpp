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
    /// Deletes all of that kind but the newest `keep`.
    void keep_newest(Kind kind, std::size_t keep) const;

  private:
    std::filesystem::path folder_;
};

[[nodiscard]] Error no_such_backup(std::string_view name);

/// When a database in `data_folder` will be brought to a new format at this start: makes a backup
/// of everything first, and keeps the newest `keep` such backups. The caller holds the folder's
/// lock, and no database is open. @return Its name; nullopt: nothing will change. Error: E5101, and
/// the start must not go on.
[[nodiscard]] Result<std::optional<std::string>> back_up_before_upgrade(
    const std::filesystem::path& data_folder, ConfigFiles config, std::string_view passphrase,
    std::size_t keep, WallTime now, Random& random);

/// Completes E5312 (a newer format) with the backup of a format that this program can use, if there
/// is one; other errors are returned as they are.
[[nodiscard]] Error with_way_back(Error error, const std::filesystem::path& data_folder);

}  // namespace iotsky::apps::backup
