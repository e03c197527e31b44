#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/error.hpp"
#include "storage/migrate.hpp"

namespace iotsky::storage {

class Db;
struct DbWords;

extern const DbWords kRegistryWords;

/// One of the two databases as it was at one moment, while the broker goes on to write it: a read
/// transaction on a connection of its own. Commits do not wait for it; the write-ahead log grows
/// meanwhile. Confined to one thread at a time.
class Snapshot {
  public:
    /// Called while a copy goes on, with the bytes done; false ends it.
    using Progress = std::function<bool(std::uint64_t bytes)>;

    [[nodiscard]] static Result<std::unique_ptr<Snapshot>> of_registry(
        const std::filesystem::path& path);
    [[nodiscard]] static Result<std::unique_ptr<Snapshot>> of_messages(
        const std::filesystem::path& path);
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::size_t format() const noexcept { return format_; }
    /// Copies it to `target` (0600), which must not exist, in steps of 256 KiB; 4 MiB at most wait
    /// for the disk. The end of the copy is not synced: it is read back at once. Errors: E5103 no
    /// space, those of Db::error; E5110 ended by `progress`.
    [[nodiscard]] Result<void> copy_to(const std::filesystem::path& target,
                                       const Progress& progress);

  private:
    explicit Snapshot(std::unique_ptr<Db> db);
    [[nodiscard]] static Result<std::unique_ptr<Snapshot>> open(const std::filesystem::path& path,
                                                                const DbWords& words);
    std::unique_ptr<Db> db_;
    std::uint64_t bytes_ = 0;
    std::size_t format_ = 0;
};

/// E5110: whoever makes a backup was told to end.
[[nodiscard]] Error copy_ended();

/// Format of a database file, 0 when it is missing or empty; what this program can do with it is
/// for migrate() to say. Changes nothing. Errors: E5310, those of Db::error.
[[nodiscard]] Result<std::size_t> registry_format_of(const std::filesystem::path& path);
[[nodiscard]] Result<std::size_t> messages_format_of(const std::filesystem::path& path);

/// Reads all of a database that nobody else uses: SQLite's own check of every page and index, and
/// whose database it is. Errors: E5302, E5311 damaged, E5313 not ours.
[[nodiscard]] Result<void> check_registry(const std::filesystem::path& path);
[[nodiscard]] Result<void> check_messages(const std::filesystem::path& path);

}  // namespace iotsky::storage
