#pragma once

#include <span>

namespace iotsky::storage {

/// The scripts storage/migrations/registry_*.sql and messages_*.sql in their order; made into
/// program text by the build.
[[nodiscard]] std::span<const char* const> registry_migrations() noexcept;
[[nodiscard]] std::span<const char* const> messages_migrations() noexcept;

}  // namespace iotsky::storage
