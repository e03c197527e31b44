#include "broker/timer_wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <vector>

#include "base/random.hpp"

namespace {

using iotsky::SeededRandom;
using iotsky::TimePoint;
using iotsky::broker::ConnRef;
using iotsky::broker::TimerWheel;
using namespace std::chrono_literals;

constexpr TimePoint kStart{12'345'678'901ns};
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

/// From 0 to 27 hours, short and long ones alike.
std::chrono::nanoseconds random_delay(SeededRandom& random) {
    const auto bits = random.below(47);
    const auto delay = std::chrono::nanoseconds(random.below((std::uint64_t{1} << bits) + 1));
    return std::min<std::chrono::nanoseconds>(delay, 27h);
}

/// Checks each firing against the deadline that was asked for.
struct Run {
    explicit Run(std::uint64_t seed) : random(seed) {}

    void schedule(TimePoint at) {
        wheel.schedule(ConnRef{static_cast<std::uint32_t>(deadlines.size()), 1}, at);
        deadlines.push_back(at);
        fired.push_back(0);
    }
    void advance() {
        wheel.advance(now, kNoLimit, [this](ConnRef conn) {
            ++fired[conn.slot];
            CHECK(now >= deadlines[conn.slot]);
        });
    }
    void check_none_late() const {
        for (std::size_t i = 0; i < deadlines.size(); ++i) {
            CAPTURE(i);
            CHECK(fired[i] <= 1);
            CHECK((fired[i] == 1 || now < deadlines[i] + TimerWheel::kTick));
        }
    }

    SeededRandom random;
    TimePoint now = kStart;
    TimerWheel wheel{kStart};
    std::vector<TimePoint> deadlines;
    std::vector<int> fired;
};

}  // namespace

TEST_SUITE("broker.timer_wheel") {
    TEST_CASE("each deadline fires once, never early, late by less than a tick") {
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            CAPTURE(seed);
            Run run(seed);
            for (int step = 0; step < 100; ++step) {
                for (auto n = run.random.below(10); n > 0; --n) {
                    run.schedule(run.now + random_delay(run.random));
                }
                run.now += random_delay(run.random);
                run.advance();
                run.check_none_late();
            }
            run.now += 27h + TimerWheel::kTick;
            run.advance();
            CHECK_FALSE(run.wheel.next());
            CHECK(std::count(run.fired.begin(), run.fired.end(), 1) ==
                  static_cast<std::ptrdiff_t>(run.fired.size()));
        }
    }

    TEST_CASE("a loop that looks at next() meets every deadline, in few looks") {
        Run run(1);
        for (int i = 0; i < 1000; ++i) {
            run.schedule(run.now + random_delay(run.random));
        }
        int looks = 0;
        while (const auto next = run.wheel.next()) {
            REQUIRE(*next >= run.now);
            run.now = *next;
            run.advance();
            if (++looks % 64 == 0) {
                run.check_none_late();
            }
        }
        run.check_none_late();
        CHECK(looks <= 6 * 1000);
        CHECK(std::count(run.fired.begin(), run.fired.end(), 1) == 1000);
    }

    TEST_CASE("advance fires no more than its limit and says when to look again") {
        TimerWheel wheel(kStart);
        for (std::uint32_t i = 0; i < 10; ++i) {
            wheel.schedule({i, 1}, kStart + 100ms);
        }
        int fired = 0;
        const auto count = [&fired](ConnRef) { ++fired; };
        const TimePoint now = kStart + 1s;
        CHECK(wheel.advance(now, 4, count) == 4);
        REQUIRE(wheel.next());
        CHECK(*wheel.next() <= now);
        CHECK(wheel.advance(now, 4, count) == 4);
        CHECK(wheel.advance(now, 4, count) == 2);
        CHECK(wheel.advance(now, 4, count) == 0);
        CHECK(fired == 10);
    }

    TEST_CASE("an owner that schedules again inside fire is asked again, once per tick at most") {
        TimerWheel wheel(kStart);
        wheel.schedule({1, 1}, kStart);
        int fired = 0;
        TimePoint now = kStart;
        const auto again = [&](ConnRef conn) {
            ++fired;
            wheel.schedule(conn, now);  // a deadline that has passed already
        };
        CHECK(wheel.advance(now, kNoLimit, again) == 1);
        CHECK(wheel.advance(now, kNoLimit, again) == 0);
        now += TimerWheel::kTick;
        CHECK(wheel.advance(now, kNoLimit, again) == 1);
        CHECK(fired == 2);
    }

    TEST_CASE("an entry of a reused slot still carries the generation it was made with") {
        TimerWheel wheel(kStart);
        wheel.schedule({7, 1}, kStart + 64ms);
        wheel.schedule({7, 2}, kStart + 64ms);
        std::vector<std::uint32_t> gens;
        wheel.advance(kStart + 1s, kNoLimit, [&gens](ConnRef conn) { gens.push_back(conn.gen); });
        std::sort(gens.begin(), gens.end());
        CHECK(gens == std::vector<std::uint32_t>{1, 2});
    }

    TEST_CASE("the longest Keep Alive is met, and the end of time never comes") {
        Run run(0);
        run.schedule(run.now + 98'302'500ms);  // 1.5 times 65,535 s
        run.schedule(TimePoint::max());
        run.now += 27h;
        run.advance();
        CHECK(run.fired == std::vector<int>{0, 0});
        run.now += 24h;
        run.advance();
        CHECK(run.fired == std::vector<int>{1, 0});
    }

    TEST_CASE("a clock that stands still or lags the start fires nothing") {
        TimerWheel wheel(kStart);
        wheel.schedule({1, 1}, kStart + 1ns);
        const auto never = [](ConnRef) { FAIL("fired early"); };
        CHECK(wheel.advance(kStart, kNoLimit, never) == 0);
        CHECK(wheel.advance(kStart - 1s, kNoLimit, never) == 0);
    }
}
