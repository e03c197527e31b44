#include "broker/net/address_limiter.hpp"

#include <doctest/doctest.h>

#include <chrono>

using iotsky::TimePoint;
using iotsky::net::AddressKey;
using iotsky::net::AddressLimiter;
using Kind = AddressLimiter::Kind;
using namespace std::chrono_literals;

namespace {
AddressKey key(std::uint32_t n) {
    AddressKey out;
    for (std::size_t i = 0; i < 4; ++i) {
        out.bytes[12 + i] = static_cast<std::uint8_t>(n >> (8 * i));
    }
    return out;
}
}  // namespace

TEST_SUITE("net.address_limiter") {
    TEST_CASE("an address that failed too often is refused for the rest of its minute") {
        AddressLimiter limiter(3);
        const TimePoint t0{};
        CHECK_FALSE(limiter.count(key(1), Kind::failure, t0));
        CHECK_FALSE(limiter.count(key(1), Kind::failure, t0 + 1s));
        CHECK(limiter.allows(key(1), t0 + 1s));
        CHECK(
            limiter.count(key(1), Kind::failure, t0 + 2s));  // told once, when the limit is reached
        CHECK_FALSE(limiter.count(key(1), Kind::failure, t0 + 2s));
        CHECK_FALSE(limiter.allows(key(1), t0 + 59s));
        CHECK(limiter.allows(key(2), t0 + 59s));
        CHECK(limiter.allows(key(1), t0 + 60s));
    }
    TEST_CASE("unused connections count an eighth of a failure, and are bounded as well") {
        AddressLimiter limiter(2);
        const TimePoint t0{};
        CHECK_FALSE(limiter.count(key(1), Kind::failure, t0));
        for (int i = 0; i < 7; ++i) {
            CHECK_FALSE(limiter.count(key(1), Kind::unused, t0));
            CHECK(limiter.allows(key(1), t0));
        }
        CHECK(limiter.count(key(1), Kind::unused, t0));
        CHECK_FALSE(limiter.count(key(1), Kind::unused, t0));
        CHECK_FALSE(limiter.allows(key(1), t0 + 59s));
        CHECK(limiter.allows(key(1), t0 + 60s));
    }
    TEST_CASE("0 is no limit") {
        AddressLimiter limiter(0);
        for (int i = 0; i < 1000; ++i) {
            CHECK_FALSE(limiter.count(key(1), Kind::failure, TimePoint{}));
        }
        CHECK(limiter.allows(key(1), TimePoint{}));
    }
    TEST_CASE("a flood of addresses takes bounded memory, and old ones make room") {
        AddressLimiter limiter(1);
        const auto addresses = static_cast<std::uint32_t>(AddressLimiter::kAddressesMax);
        for (std::uint32_t i = 0; i < addresses; ++i) {
            limiter.count(key(i), Kind::failure, TimePoint{});
        }
        CHECK_FALSE(limiter.count(key(addresses), Kind::failure, TimePoint{}));
        CHECK(limiter.allows(key(addresses), TimePoint{}));
        CHECK(limiter.count(key(addresses), Kind::failure, TimePoint{} + 61s));
        CHECK_FALSE(limiter.allows(key(addresses), TimePoint{} + 61s));
    }
}
