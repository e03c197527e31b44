#include "broker/mqtt/utf8.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "base/random.hpp"

using namespace iotsky;
using namespace iotsky::mqtt;

namespace {

/// One code point at the front of `text`, decoded by arithmetic: bits first, rules afterwards.
std::optional<std::size_t> slow_code_point_bytes(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned lead = byte(0);
    const std::size_t bytes = lead < 0x80 ? 1 : (lead >> 5) == 6 ? 2 : (lead >> 4) == 14 ? 3 : 4;
    unsigned code = bytes == 1 ? lead : lead & (0x7FU >> bytes);
    if (bytes == 4 && (lead >> 3) != 30) {
        return std::nullopt;
    }
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) >> 6) != 2) {
            return std::nullopt;
        }
        code = (code << 6) | (byte(i) & 0x3FU);
    }
    const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < smallest[bytes] || surrogate || code > 0x10FFFF) {
        return std::nullopt;
    }
    return bytes;
}

Utf8Fault slow_check(std::string_view text) {
    while (!text.empty()) {
        if (text[0] == '\0') {
            return Utf8Fault::nul;
        }
        const auto bytes = slow_code_point_bytes(text);
        if (!bytes) {
            return Utf8Fault::ill_formed;
        }
        text.remove_prefix(*bytes);
    }
    return Utf8Fault::none;
}

std::string encode(unsigned code) {
    const auto tail = [code](unsigned shift) {
        return static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
    };
    if (code < 0x80) {
        return {static_cast<char>(code)};
    }
    if (code < 0x800) {
        return {static_cast<char>(0xC0U | (code >> 6)), tail(0)};
    }
    if (code < 0x10000) {
        return {static_cast<char>(0xE0U | (code >> 12)), tail(6), tail(0)};
    }
    return {static_cast<char>(0xF0U | (code >> 18)), tail(12), tail(6), tail(0)};
}

}  // namespace

TEST_SUITE("mqtt.utf8") {
    TEST_CASE("[MQTT-1.5.3-1] all texts of one to three bytes agree with the slow check") {
        std::size_t good = 0;
        std::string text;
        for (std::size_t length = 1; length <= 3; ++length) {
            text.assign(length, '\0');
            for (unsigned value = 0; value < (1U << (8 * length)); ++value) {
                for (std::size_t i = 0; i < length; ++i) {
                    text[i] = static_cast<char>(value >> (8 * i));
                }
                const Utf8Fault fault = check_utf8(text);
                if (fault != slow_check(text)) {
                    CAPTURE(value);
                    FAIL("differs");
                }
                good += fault == Utf8Fault::none ? 1U : 0U;
            }
        }
        // 127 ASCII characters without NUL, 1,920 of two bytes, 61,440 of three, and their
        // mixtures.
        CHECK(good == 127 + (127 * 127 + 1920) + (127 * 127 * 127 + 2 * 127 * 1920 + 61'440));
    }

    TEST_CASE("[MQTT-1.5.3-1] every code point passes but surrogates and NUL") {
        for (unsigned code = 0; code <= 0x1FFFFF; ++code) {
            const bool good = code != 0 && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
            if ((check_utf8(encode(code)) == Utf8Fault::none) != good) {
                CAPTURE(code);
                FAIL("wrong");
            }
        }
    }

    TEST_CASE("texts of four bytes, and cut ones, agree with the slow check") {
        SeededRandom random(4);
        for (int round = 0; round < 300'000; ++round) {
            std::string text(4, '\0');
            for (char& c : text) {
                c = static_cast<char>(random.below(256));
            }
            text[0] = static_cast<char>(0xF0U | random.below(8));
            if (random.below(2) == 0) {
                text[2] = static_cast<char>(0x80U | random.below(64));
                text[3] = static_cast<char>(0x80U | random.below(64));
            }
            const auto length = static_cast<std::size_t>(1 + random.below(4));
            const std::string_view cut = std::string_view(text).substr(0, length);
            REQUIRE(check_utf8(cut) == slow_check(cut));
        }
    }

    TEST_CASE("[MQTT-1.5.3-2] NUL is found at every place of a long text") {
        for (std::size_t at = 0; at < 40; ++at) {
            CAPTURE(at);
            std::string text(40, 'x');
            text[at] = '\0';
            CHECK(check_utf8(text) == Utf8Fault::nul);
            text[at] = '\x01';
            CHECK(check_utf8(text) == Utf8Fault::none);
            text[at] = '\x80';
            CHECK(check_utf8(text) == Utf8Fault::ill_formed);
            text[at] = '\x7F';
            CHECK(check_utf8(text) == Utf8Fault::none);
        }
    }

    TEST_CASE("the first fault is told") {
        using namespace std::string_view_literals;
        CHECK(check_utf8("a\0\xFF"sv) == Utf8Fault::nul);
        CHECK(check_utf8("a\xFF\0"sv) == Utf8Fault::ill_formed);
        CHECK(check_utf8("") == Utf8Fault::none);
    }

    TEST_CASE("[MQTT-1.5.3-3] U+FEFF is a character wherever it stands") {
        CHECK(check_utf8("\xEF\xBB\xBF") == Utf8Fault::none);
        CHECK(check_utf8("a\xEF\xBB\xBFz") == Utf8Fault::none);
    }

    TEST_CASE("what the standard only advises against passes: controls and non-characters") {
        CHECK(check_utf8("\x01\x1F\x7F\xC2\x80\xC2\x9F\xEF\xBF\xBF") == Utf8Fault::none);
    }
}
