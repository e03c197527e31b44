#include "api/token_guard.hpp"

#include <doctest/doctest.h>

#include "tests/support/manual_clock.hpp"

namespace iotsky::api {
namespace {

using namespace std::chrono_literals;

struct Fixture {
    ManualClock clock;
    TokenGuard guard{clock};

    /// Tries wrong tokens, each as soon as it may; the last wait.
    std::chrono::seconds wrong(int times, const std::string& address = "10.20.3.41") {
        std::chrono::seconds wait{0};
        for (int i = 0; i < times; ++i) {
            clock.advance(wait);
            REQUIRE(guard.wait_of(address, "wrong") == 0s);
            wait = guard.note_wrong(address, "wrong");
        }
        return wait;
    }
};

}  // namespace

TEST_SUITE("api.token_guard") {
    TEST_CASE_FIXTURE(Fixture, "four wrong tokens within a minute are looked at, the fifth waits") {
        CHECK(wrong(4) == 0s);
        CHECK(guard.wait_of("10.20.3.41", "wrong") == 0s);
        CHECK(wrong(1) == 1s);
        CHECK(guard.wait_of("10.20.3.41", "right") == 1s);
        CHECK(guard.wait_of("10.20.3.42", "right") == 0s);
        clock.advance(1s);
        CHECK(guard.wait_of("10.20.3.41", "right") == 0s);
    }

    TEST_CASE_FIXTURE(Fixture, "each further wrong one doubles the wait, up to the longest") {
        CHECK(wrong(6) == 2s);
        clock.advance(2s);
        CHECK(guard.note_wrong("10.20.3.41", "wrong") == 4s);
        clock.advance(4s);
        CHECK(wrong(4) == 60s);
        clock.advance(60s);
        CHECK(wrong(100) == 60s);
    }

    TEST_CASE_FIXTURE(Fixture, "a minute without a wrong token forgets the ones before") {
        CHECK(wrong(4) == 0s);
        clock.advance(59s);
        CHECK(wrong(1) == 1s);
        clock.advance(1s + 60s);
        CHECK(wrong(4) == 0s);
        clock.advance(60s);
        CHECK(wrong(4) == 0s);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a token that was right before is not held up, until it is revoked") {
        guard.note_right("right");
        CHECK(wrong(5) == 1s);
        CHECK(guard.wait_of("10.20.3.41", "right") == 0s);
        guard.note_wrong("10.20.3.41", "right");
        CHECK(guard.wait_of("10.20.3.41", "right") > 0s);
    }

    TEST_CASE_FIXTURE(Fixture, "a flood of addresses and of tokens takes bounded memory") {
        wrong(5, "first");
        for (std::size_t i = 0; i < TokenGuard::kAddressesMax; ++i) {
            clock.advance(1s);
            guard.note_wrong(std::to_string(i), "wrong");
        }
        wrong(1, "first");  // the oldest made room, and begins anew
        CHECK(guard.wait_of("first", "wrong") == 0s);
        for (std::size_t i = 0; i <= TokenGuard::kKnownMax; ++i) {
            guard.note_right("t" + std::to_string(i));
        }
        wrong(4, "first");
        CHECK(guard.wait_of("first", "t0") > 0s);
        CHECK(guard.wait_of("first", "t1") == 0s);
    }

    TEST_CASE("limits of one are kept: the first wrong token waits, never longer than allowed") {
        ManualClock clock;
        TokenGuard guard{clock, {1, 1s}};
        CHECK(guard.note_wrong("a", "x") == 1s);
        clock.advance(1s);
        CHECK(guard.note_wrong("a", "x") == 1s);
    }
}

}  // namespace iotsky::api
