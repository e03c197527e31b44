#include "broker/pressure.hpp"

#include <doctest/doctest.h>

#include "broker/service.hpp"

using namespace iotsky::broker;

namespace {

SessionRef ref(std::uint32_t thread, std::uint32_t slot) {
    SessionRef session;
    session.gen = 1;
    session.slot = slot & 0xffffffU;
    session.thread = thread & 0xffU;
    return session;
}

}  // namespace

TEST_SUITE("broker.pressure") {
    TEST_CASE("every session has its own, the first slot like the last") {
        PressureTable table(3);
        for (const std::uint32_t slot : {0U, 1U, 4095U, 4096U, 0xffffffU}) {
            CAPTURE(slot);
            CHECK(table.get(ref(2, slot)) == Pressure::none);
            table.set(ref(2, slot), Pressure::full);
            CHECK(table.get(ref(2, slot)) == Pressure::full);
            CHECK(table.get(ref(1, slot)) == Pressure::none);
            table.set(ref(2, slot), Pressure::half);
            CHECK(table.get(ref(2, slot)) == Pressure::half);
            table.set(ref(2, slot), Pressure::none);
            CHECK(table.get(ref(2, slot)) == Pressure::none);
        }
    }

    TEST_CASE("pressure and durability do not touch each other") {
        PressureTable table(2);
        const SessionRef one = ref(1, 7);
        CHECK_FALSE(table.relaxed(one));
        table.set_relaxed(one, false);  // needs no page
        table.set_relaxed(one, true);
        CHECK(table.get(one) == Pressure::none);
        table.set(one, Pressure::full);
        CHECK(table.relaxed(one));
        table.set_relaxed(one, false);
        CHECK(table.get(one) == Pressure::full);
        CHECK_FALSE(table.relaxed(one));
        CHECK_FALSE(table.relaxed(ref(1, 8)));
        CHECK_FALSE(table.relaxed(ref(kServiceThread, 0)));
    }

    TEST_CASE("what is forgotten is not the next session's") {
        PressureTable table(1);
        const SessionRef one = ref(0, 3);
        table.forget(one);  // there is nothing yet
        table.set(one, Pressure::full);
        table.set_relaxed(one, true);
        table.set(ref(0, 4), Pressure::half);
        table.forget(one);
        CHECK(table.get(one) == Pressure::none);
        CHECK_FALSE(table.relaxed(one));
        CHECK(table.get(ref(0, 4)) == Pressure::half);
    }

    TEST_CASE("a service is under no pressure") {
        CHECK(PressureTable(1).get(ref(kServiceThread, 0)) == Pressure::none);
    }
}
