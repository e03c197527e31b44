#include "broker/principals.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace iotsky;
using namespace iotsky::broker;
using namespace std::chrono_literals;

TEST_SUITE("broker.principals") {
    TEST_CASE("one name is one principal") {
        Principals principals;
        const auto otter = principals.get("7b/otter/weather", {});
        CHECK(principals.get("7b/otter/weather", {}) == otter);
        CHECK(principals.get("7b/heron/door", {}) != otter);
        CHECK(principals.size() == 2);
    }

    TEST_CASE(
        "those that nobody holds are forgotten, but not while they owe: coming back is no way "
        "round a limit") {
        Principals principals;
        const TimePoint now{1h};
        const auto held = principals.get("held", now);
        principals.get("debtor", now)->publishes.take({1, 1}, 10, now);
        for (int i = 0; i < 5000; ++i) {
            (void)principals.get("passer-by " + std::to_string(i), now);
        }
        CHECK(principals.size() < 2000);
        CHECK(principals.get("held", now) == held);
        CHECK(principals.get("debtor", now)->publishes.available({1, 1}, now) == 0);
    }
}
