#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace iotsky::api {

/// RFC 4648 section 4, with padding.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
/// nullopt for anything but the alphabet and its padding; white space is not allowed.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace iotsky::api
