#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/error.hpp"

namespace iotsky::storage {

class Db;

/// What a database of ours is, and the scripts that make it.
struct Schema {
    std::int64_t application_id;  ///< tells it from other SQLite files
    /// The n-th (from 1) leads to format n.
    std::span<const char* const> migrations;
    /// Larger files are opened without reading all of them first; damage then shows where it is
    /// read.
    std::uintmax_t check_bytes_max;
};

[[nodiscard]] Schema registry_schema() noexcept;
[[nodiscard]] Schema messages_schema() noexcept;

/// Checks that `db` is ours, whole, and of a format that this program knows; then brings it to the
/// newest format, in one transaction. A new file becomes an empty database. The format's number is
/// the file's `user_version`.
/// Errors: the damage number of the db's words, E5312 newer format, E5313 some other database,
/// E5314 a migration failed (rolled back).
[[nodiscard]] Result<void> migrate(Db& db, const std::filesystem::path& path, const Schema& schema);

}  // namespace iotsky::storage
