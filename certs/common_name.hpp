#pragma once

#include <string_view>

namespace iotsky::certs {

/// X.520's limit of a common name, in characters.
inline constexpr std::size_t kCommonNameMax = 64;

/// Whether `text` is 1-64 characters of valid UTF-8 without control characters (U+0000-1F,
/// U+007F-9F). Thread: any (pure).
[[nodiscard]] bool is_valid_common_name(std::string_view text);

}  // namespace iotsky::certs
