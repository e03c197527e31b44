#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace iotsky::test {

/// A frame as a client sends it, masked with bytes that all differ. `first`: FIN, reserved bits,
/// opcode. The length is in its shortest form.
inline std::string client_frame(std::uint8_t first, std::string_view payload) {
    const std::string_view mask{"\x37\xfa\x21\x3d", 4};
    std::string out(1, static_cast<char>(first));
    const std::size_t n = payload.size();
    if (n < 126) {
        out += static_cast<char>(0x80 | n);
    } else if (n <= 0xffff) {
        out += static_cast<char>(0x80 | 126);
        out += static_cast<char>(n >> 8U);
        out += static_cast<char>(n & 0xff);
    } else {
        out += static_cast<char>(0x80 | 127);
        for (int shift = 56; shift >= 0; shift -= 8) {
            out += static_cast<char>(n >> static_cast<unsigned>(shift));
        }
    }
    out += mask;
    for (std::size_t i = 0; i < n; ++i) {
        out += static_cast<char>(payload[i] ^ mask[i % 4]);
    }
    return out;
}

inline constexpr std::uint8_t kBinary = 0x82;       ///< whole message
inline constexpr std::uint8_t kBinaryBegin = 0x02;  ///< first fragment
inline constexpr std::uint8_t kMore = 0x00;         ///< a fragment in the middle
inline constexpr std::uint8_t kLast = 0x80;         ///< last fragment
inline constexpr std::uint8_t kText = 0x81;
inline constexpr std::uint8_t kClose = 0x88;
inline constexpr std::uint8_t kPing = 0x89;
inline constexpr std::uint8_t kPong = 0x8a;

}  // namespace iotsky::test
