#include "broker/backlog.hpp"

#include <doctest/doctest.h>

using namespace iotsky::broker;

namespace {

constexpr Mid mid(Mid number, ThreadId thread) {
    return number << 8U | thread;
}

}  // namespace

TEST_SUITE("broker.backlog") {
    TEST_CASE("it holds what arrived, of each source between its first and its last") {
        Backlog backlog;
        CHECK_FALSE(backlog.hold(1, mid(5, 1)));  // memory may have later ones: look
        CHECK(backlog.hold(1, mid(9, 1)));
        CHECK_FALSE(backlog.hold(2, mid(7, 2)));
        CHECK(backlog.holds(mid(5, 1)));
        CHECK(backlog.holds(mid(7, 1)));
        CHECK_FALSE(backlog.holds(mid(4, 1)));
        CHECK_FALSE(backlog.holds(mid(10, 1)));
        CHECK_FALSE(backlog.holds(mid(8, 2)));
        CHECK_FALSE(backlog.holds(mid(7, 3)));
    }

    TEST_CASE("a number below the first one says that memory may hold some of it") {
        Backlog backlog;
        (void)backlog.hold(1, mid(5, 1));
        CHECK_FALSE(backlog.hold(1, mid(4, 1)));
        CHECK(backlog.holds(mid(4, 1)));
    }

    TEST_CASE("a page takes what it was asked for, not what arrived since") {
        Backlog backlog;
        (void)backlog.hold(1, mid(5, 1));
        (void)backlog.hold(2, mid(90, 2));
        const auto asked = backlog.ranges;
        (void)backlog.hold(1, mid(6, 1));
        (void)backlog.hold(3, mid(7, 3));
        backlog.took(asked, mid(90, 2));  // the whole of it
        CHECK_FALSE(backlog.holds(mid(5, 1)));
        CHECK(backlog.holds(mid(6, 1)));
        CHECK_FALSE(backlog.holds(mid(90, 2)));
        CHECK(backlog.holds(mid(7, 3)));
        CHECK(backlog.ranges.size() == 2);
    }

    TEST_CASE("a page that was not the whole leaves the rest of every source") {
        Backlog backlog;
        for (Mid number = 1; number <= 4; ++number) {
            (void)backlog.hold(1, mid(number, 1));
            (void)backlog.hold(2, mid(number, 2));
        }
        backlog.took(backlog.ranges, mid(2, 2));
        CHECK_FALSE(backlog.holds(mid(2, 1)));
        CHECK_FALSE(backlog.holds(mid(2, 2)));
        CHECK(backlog.holds(mid(3, 1)));
        CHECK(backlog.holds(mid(3, 2)));
    }

    TEST_CASE("earlier runs are one source, whichever threads they had") {
        Backlog backlog;
        backlog.ranges = {{MidRange::kEarlierRuns, 1, mid(50, 0) - 1}};
        CHECK(backlog.holds(mid(3, 7)));
        CHECK_FALSE(backlog.holds(mid(50, 7)));
        backlog.took(backlog.ranges, mid(50, 0) - 1);
        CHECK(backlog.ranges.empty());
    }
}
