#pragma once

#include <cstdint>
#include <string_view>

namespace iotsky::mqtt {

enum class Utf8Fault : std::uint8_t {
    none,
    ill_formed,  ///< Cut, overlong, above U+10FFFF or a surrogate [MQTT-1.5.3-1].
    nul,         ///< U+0000 [MQTT-1.5.3-2].
};

/// The first fault of a text (section 1.5.3). U+FEFF is a character like any other and stays
/// [MQTT-1.5.3-3]; control characters and non-characters are "should not" and pass.
/// Thread: any (pure). Cost: O(n), eight ASCII bytes at a time.
[[nodiscard]] Utf8Fault check_utf8(std::string_view text) noexcept;

}  // namespace iotsky::mqtt
