#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace iotsky::certs {

/// Reads exactly two digits, of either case, for each byte of `out`; false if `digits` is anything
/// else.
[[nodiscard]] bool parse_hex(std::string_view digits, std::span<std::uint8_t> out) noexcept;

}  // namespace iotsky::certs
