#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"

namespace iotsky::certs {

/// Serial number of a certificate that we issue: 128 random bits, positive, first byte not zero, so
/// that its text always has 32 digits.
struct Serial {
    std::array<std::uint8_t, 16> bytes{};

    /// 32 lower-case hexadecimal digits; equals Certificate::serial_hex().
    [[nodiscard]] std::string hex() const;
    /// The same text back, either case; nullopt for any other length or a zero first byte.
    [[nodiscard]] static std::optional<Serial> parse(std::string_view hex);

    friend bool operator==(const Serial&, const Serial&) = default;
    friend bool operator<(const Serial& a, const Serial& b) noexcept { return a.bytes < b.bytes; }
};

/// Draws one. The caller records it (committed) before it asks for a signature.
[[nodiscard]] Serial new_serial(Random& random);

}  // namespace iotsky::certs
