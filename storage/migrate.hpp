#pragma once

#include <filesystem>
#include <span>

#include "base/error.hpp"

namespace iotsky::storage {

class Db;

/// The scripts of storage/migrations in their order; the n-th (from 1) leads to format n.
[[nodiscard]] std::span<const char* const> registry_migrations() noexcept;

/// Checks that `db` is a registry, whole, and of a format that this program knows; then brings it
/// to the newest format, in one transaction. A new file becomes an empty registry.
/// Errors: E5311 damaged, E5312 newer format, E5313 some other database, E5314 a migration failed
/// (rolled back).
[[nodiscard]] Result<void> migrate(Db& db, const std::filesystem::path& path,
                                   std::span<const char* const> migrations);

}  // namespace iotsky::storage
