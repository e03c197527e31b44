#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace iotsky::provisioning {

/// A text file as UTF-8: a mark in front is taken off, what is not valid UTF-8 is read as
/// Windows-1252. Error: E2125 for UTF-16 and for files with NUL bytes. Thread: any (pure).
[[nodiscard]] Result<std::string> to_utf8(std::string_view bytes);

/// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace iotsky::provisioning
