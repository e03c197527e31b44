#include "certs/fingerprint.hpp"

#include <doctest/doctest.h>

#include <set>

#include "certs/serial.hpp"
#include "certs/words.hpp"

using iotsky::certs::Fingerprint;
using iotsky::certs::Serial;

namespace {
Fingerprint abc() {
    const std::uint8_t text[] = {'a', 'b', 'c'};
    return Fingerprint::of(text);
}
}  // namespace

TEST_SUITE("certs.fingerprint") {
    TEST_CASE("a fingerprint is the SHA-256 of the bytes (FIPS 180-2, example B.1)") {
        CHECK(abc().hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        CHECK(abc().colon_hex().substr(0, 12) == "BA:78:16:BF:");
        CHECK(abc().colon_hex().size() == 95);
    }

    TEST_CASE("both text forms are read back") {
        CHECK(Fingerprint::parse(abc().hex()) == abc());
        CHECK(Fingerprint::parse(abc().colon_hex()) == abc());
        CHECK(std::hash<Fingerprint>{}(abc()) == std::hash<Fingerprint>{}(abc()));
    }

    TEST_CASE("what is not a fingerprint is refused") {
        const std::string hex = abc().hex();
        std::string dots = abc().colon_hex();
        dots[2] = '.';
        for (const std::string& text :
             {std::string{}, hex.substr(1), hex + "0", "g" + hex.substr(1), dots,
              std::string(95, ':'), std::string(64, '\0')}) {
            CAPTURE(text);
            CHECK_FALSE(Fingerprint::parse(text).has_value());
        }
    }

    TEST_CASE("four words stand for the first four bytes and nothing else") {
        Fingerprint one;
        Fingerprint other;
        other.bytes[4] = 1;
        CHECK(one.words() == other.words());
        other.bytes[3] = 1;
        CHECK(one.words() != other.words());
        CHECK(one.words() == "acorn-acorn-acorn-acorn");
        one.bytes[0] = 255;
        CHECK(one.words() == "zephyr-acorn-acorn-acorn");
    }

    TEST_CASE("the 256 words differ and are lower case without hyphens") {
        const std::set<std::string_view> words(iotsky::certs::kWords.begin(),
                                               iotsky::certs::kWords.end());
        CHECK(words.size() == 256);
        for (const std::string_view word : words) {
            CAPTURE(word);
            CHECK(word.size() >= 3);
            CHECK(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string_view::npos);
        }
    }
}

TEST_SUITE("certs.serial") {
    TEST_CASE("serial numbers are distinct, positive and have 32 digits") {
        iotsky::SeededRandom random(3);
        std::set<Serial> seen;
        for (int i = 0; i < 5000; ++i) {
            const Serial serial = iotsky::certs::new_serial(random);
            CHECK(serial.bytes[0] != 0);
            CHECK(serial.hex().size() == 32);
            CHECK(Serial::parse(serial.hex()) == serial);
            seen.insert(serial);
        }
        CHECK(seen.size() == 5000);
    }

    TEST_CASE("a first byte of zero is drawn again") {
        struct ZeroFirst final : iotsky::Random {
            int calls = 0;
            void fill(std::span<std::byte> out) override {
                for (std::byte& byte : out) {
                    byte = std::byte{static_cast<unsigned char>(calls)};
                }
                ++calls;
            }
        } random;
        CHECK(iotsky::certs::new_serial(random).bytes[0] == 1);
        CHECK(random.calls == 2);
    }

    TEST_CASE("text that is no serial number of ours is refused") {
        for (const char* text :
             {"", "00", "00112233445566778899aabbccddeeff", "112233445566778899aabbccddeeff",
              "x0112233445566778899aabbccddeeff"}) {
            CAPTURE(text);
            CHECK_FALSE(Serial::parse(text).has_value());
        }
    }
}
