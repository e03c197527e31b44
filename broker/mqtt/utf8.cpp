#include "broker/mqtt/utf8.hpp"

#include <cstddef>
#include <cstring>

namespace iotsky::mqtt {
namespace {

constexpr std::uint64_t kHighBits = 0x8080'8080'8080'8080ULL;
constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101ULL;

/// Whether all eight bytes are 0x01 to 0x7F. For bytes below 0x80, (byte - 1) has its high bit only
/// for 0, and a borrow starts only at a 0: no false alarm is missed or added.
bool is_plain_ascii(const char* eight) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, eight, sizeof word);
    return ((word | (word - kOnes)) & kHighBits) == 0;
}

bool is_continuation(unsigned char byte) noexcept {
    return (byte & 0xC0U) == 0x80U;
}

/// What may follow a lead byte: how many bytes in all, and the range of the second (table 3-7 of
/// the Unicode standard, which leaves out overlong forms, surrogates and all above U+10FFFF).
struct Sequence {
    std::size_t bytes;
    unsigned char second_min;
    unsigned char second_max;
};

Sequence sequence_of(unsigned char lead) noexcept {
    if (lead < 0xC2U || lead > 0xF4U) {
        return {0, 0, 0};  // a continuation byte, C0, C1, F5 and above
    }
    if (lead < 0xE0U) {
        return {2, 0x80U, 0xBFU};
    }
    if (lead < 0xF0U) {
        return {3, static_cast<unsigned char>(lead == 0xE0U ? 0xA0U : 0x80U),
                static_cast<unsigned char>(lead == 0xEDU ? 0x9FU : 0xBFU)};
    }
    return {4, static_cast<unsigned char>(lead == 0xF0U ? 0x90U : 0x80U),
            static_cast<unsigned char>(lead == 0xF4U ? 0x8FU : 0xBFU)};
}

/// Bytes of the well-formed sequence at the front of `text`, which is not ASCII; 0 if there is
/// none.
std::size_t multibyte_length(std::string_view text) noexcept {
    const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const Sequence sequence = sequence_of(at(0));
    if (sequence.bytes == 0 || text.size() < sequence.bytes || at(1) < sequence.second_min ||
        at(1) > sequence.second_max) {
        return 0;
    }
    for (std::size_t i = 2; i < sequence.bytes; ++i) {
        if (!is_continuation(at(i))) {
            return 0;
        }
    }
    return sequence.bytes;
}

}  // namespace

Utf8Fault check_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        if (text.size() >= 8 && is_plain_ascii(text.data())) {
            text.remove_prefix(8);
            continue;
        }
        const auto lead = static_cast<unsigned char>(text.front());
        if (lead == 0) {
            return Utf8Fault::nul;  // [MQTT-1.5.3-2], [MQTT-4.7.3-2]
        }
        const std::size_t length = lead < 0x80U ? 1 : multibyte_length(text);
        if (length == 0) {
            return Utf8Fault::ill_formed;  // [MQTT-1.5.3-1]
        }
        text.remove_prefix(length);  // U+FEFF included: it is kept [MQTT-1.5.3-3]
    }
    return Utf8Fault::none;
}

}  // namespace iotsky::mqtt
