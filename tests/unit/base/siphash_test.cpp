#include "base/siphash.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE("base.siphash") {
    TEST_CASE("SipHash-2-4 gives the vectors of its reference") {
        // Key 00 01 .. 0f, input 00 01 .. (n-1); from the appendix of Aumasson and Bernstein 2012.
        const iotsky::HashKey key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
        std::string input;
        for (char c = 0; c < 15; ++c) {
            input += c;
        }
        CHECK(iotsky::siphash24(key, input) == 0xa129ca6149be45e5U);
        CHECK(iotsky::siphash24(key, "") == 0x726fdb47dd0e0e31U);
    }

    TEST_CASE("another key gives another place") {
        CHECK(iotsky::siphash13({1, 2}, "7b/otter/weather") !=
              iotsky::siphash13({1, 3}, "7b/otter/weather"));
    }
}
