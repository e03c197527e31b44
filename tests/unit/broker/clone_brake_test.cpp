#include "broker/clone_brake.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace iotsky;
using namespace iotsky::broker;
using namespace std::chrono_literals;
using Verdict = CloneBrake::Verdict;

TEST_SUITE("broker.clone_brake") {
    TEST_CASE("the first take-overs of a window are let through, the next is refused") {
        Limits limits;
        limits.takeovers_max = 2;
        CloneBrake brake(limits);
        const TimePoint now{1h};
        CHECK(brake.judge("k", "a", "b", now) == Verdict::clone);
        CHECK(brake.judge("k", "b", "a", now + 29s) == Verdict::clone);
        CHECK(brake.judge("k", "a", "b", now + 30s) == Verdict::refused);
        CHECK(brake.judge("other", "a", "b", now + 30s) == Verdict::clone);
        CHECK(brake.judge("k", "a", "a", now + 30s) == Verdict::same_board);
    }

    TEST_CASE("fights that are over are forgotten") {
        const Limits limits;
        CloneBrake brake(limits);
        for (int i = 0; i < 10'000; ++i) {
            (void)brake.judge("k" + std::to_string(i), "a", "b", TimePoint{1h} + i * 1s);
        }
        CHECK(brake.size() <= 1024);
    }
}
