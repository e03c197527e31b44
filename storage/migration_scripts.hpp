#pragma once

#include <span>

namespace iotsky::storage {

/// The scripts of storage/migrations/registry and storage/migrations/messages in their order; made
/// into program text by the build.
[[nodiscard]] std::span<const char* const> registry_migrations() noexcept;
[[nodiscard]] std::span<const char* const> messages_migrations() noexcept;

}  // namespace iotsky::storage
