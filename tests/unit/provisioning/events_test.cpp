#include <doctest/doctest.h>

#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

TEST_SUITE("provisioning.events") {
    TEST_CASE("events rise, are read from any point and marked up to one") {
        World world;
        world.thing();
        auto& events = world.registry->events;
        const auto all = events.after(world.admin, 0, 1000).value();
        for (std::size_t i = 1; i < all.size(); ++i) {
            CHECK(all[i].seq == all[i - 1].seq + 1);
        }
        CHECK(events.last_seq().value() == all.back().seq);
        CHECK(events.after(world.admin, all[2].seq, 2).value()[0].seq == all[3].seq);
        CHECK(events.unpublished(1000).value().size() == all.size());
        REQUIRE(events.mark_published(all[2].seq).has_value());
        CHECK(events.unpublished(1000).value().front().seq == all[3].seq);
        CHECK(events.after(world.admin, 0, 1000).value().size() == all.size());
    }

    TEST_CASE("published events are kept for 7 days, others until they are published") {
        World world;
        world.thing();
        auto& events = world.registry->events;
        const std::uint64_t last = events.last_seq().value();
        REQUIRE(events.mark_published(last - 1).has_value());
        world.clock.advance(std::chrono::hours{7 * 24 - 1});
        REQUIRE(world.registry->maintain().has_value());
        CHECK(events.after(world.admin, 0, 1000).value().size() == last);
        world.clock.advance(std::chrono::hours{2});
        REQUIRE(world.registry->maintain().has_value());
        const auto left = events.after(world.admin, 0, 1000).value();
        REQUIRE(left.size() == 1);
        CHECK(left[0].seq == last);
        world.thing("heron", "door");
        CHECK(events.after(world.admin, last, 1).value()[0].seq == last + 1);
    }

    TEST_CASE("whoever publishes is woken after the commit") {
        World world;
        int woken = 0;
        world.registry->set_events_hook([&] { ++woken; });
        world.thing();
        CHECK(woken == 1);
        REQUIRE(world.registry->things.create(world.admin, world.request()).has_error());
        CHECK(woken == 1);
    }
}
