#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

namespace iotsky {

/// Writes all of `bytes` to a descriptor that blocks. @return 0, or the errno of what failed.
/// Thread: any.
[[nodiscard]] int write_all(int fd, std::span<const std::byte> bytes) noexcept;

/// Reads until `into` is full or the file ends. @return bytes that were there; nullopt: errno says
/// why. Thread: any.
[[nodiscard]] std::optional<std::size_t> read_all(int fd, std::span<std::byte> into) noexcept;

/// Makes the names in `folder` (empty: the working one) durable. @return 0, or the errno of what
/// failed. Thread: any.
[[nodiscard]] int sync_names_in(const std::filesystem::path& folder) noexcept;

}  // namespace iotsky
