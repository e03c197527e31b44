#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace iotsky::mqtt {

/// Bytes as they lie in a read buffer. Every view of this folder borrows from such a buffer.
using Bytes = std::span<const std::byte>;

/// Longest text or binary field: its length travels in two bytes (section 1.5.3).
inline constexpr std::size_t kFieldBytesMax = 65'535;
/// Largest Remaining Length that four bytes can announce (section 2.2.3).
inline constexpr std::uint32_t kRemainingLengthMax = 268'435'455;

[[nodiscard]] inline std::string_view as_text(Bytes bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Bytes as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// The 16-bit number at the front of `bytes`, most significant byte first (section 1.5.2).
/// `bytes` holds two at least.
[[nodiscard]] inline std::uint16_t load_u16(Bytes bytes) noexcept {
    return static_cast<std::uint16_t>((std::to_integer<unsigned>(bytes[0]) << 8U) |
                                      std::to_integer<unsigned>(bytes[1]));
}

inline void store_u16(std::span<std::byte> out, std::uint16_t value) noexcept {
    out[0] = static_cast<std::byte>(value >> 8U);
    out[1] = static_cast<std::byte>(value & 0xFFU);
}

}  // namespace iotsky::mqtt
