#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iotsky {

/// Escapes what a peer chose for logs and terminals: control characters, quotes, backslash and
/// bytes that are not valid UTF-8 become \xNN; longer than `length_max` bytes is cut and ends with
/// "...".
[[nodiscard]] std::string escape(std::string_view text, std::size_t length_max = 256);

/// Length of the valid UTF-8 sequence at the front, 0 if there is none (RFC 3629: no overlong, no
/// surrogates, nothing above U+10FFFF).
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

/// Lower-case hexadecimal, two digits a byte, no separator.
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);

/// The name among `known` that is closest to `text` (edit distance at most a third of its length,
/// at least 2), for "did you mean"; empty if none is close.
[[nodiscard]] std::string nearest(std::string_view text, std::span<const std::string> known);

/// Splits at every `separator`; "a,,b" gives three parts, "" gives one.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

/// The other way round: {"a", "b"} with ", " gives "a, b".
[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);

/// Whether `name` is 1 to 40 characters of [A-Za-z0-9_-]: classes, students, projects, things.
[[nodiscard]] bool is_valid_name(std::string_view name) noexcept;

}  // namespace iotsky
