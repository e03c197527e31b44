// SUBSCRIBE against PUBLISH with RETAIN (`dataplane.md` 3): the last value is never missed, never
// comes twice, never after a newer one.
#include <doctest/doctest.h>

#include <string>

#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;

TEST_SUITE("simulation.retained") {
    TEST_CASE(
        "a subscription in the middle of retained updates sees each value at most once, ending "
        "with the last") {
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            CAPTURE(seed);
            World world(seed, 3);
            ClientOptions options{"pub", "p", true, {}, "state", 1};
            options.publish_retain = true;
            options.messages = 6;
            options.window = 1;
            world.add(options);
            Client& subscriber = world.add({"sub", "s", true, {{"state", 1}}});
            world.run(200, {});
            REQUIRE(world.settle());
            REQUIRE(!subscriber.deliveries.empty());
            int last = -1;
            for (const auto& delivery : subscriber.deliveries) {
                const int number = std::stoi(delivery.payload.substr(4));
                CHECK(number > last);
                last = number;
            }
            CHECK(last == 5);
            CHECK(world.broker().shared().retained.get("state")->payload == "pub:5");
        }
    }

    TEST_CASE("[MQTT-3.3.1-8] [MQTT-3.3.1-9] RETAIN is 1 by a new subscription only") {
        World world(5, 2);
        ClientOptions options{"pub", "p", true, {}, "state", 1};
        options.publish_retain = true;
        options.messages = 1;
        world.add(options);
        Client& early = world.add({"early", "e", true, {{"state", 1}}});
        REQUIRE(world.settle());
        Client& late = world.add({"late", "l", true, {{"state", 1}}});
        REQUIRE(world.settle());
        REQUIRE(late.deliveries.size() == 1);
        CHECK(late.deliveries[0].retain);
        REQUIRE(early.deliveries.size() == 1);
    }

    TEST_CASE("retained messages and their order survive a crash") {
        for (std::uint64_t seed = 1; seed <= 50; ++seed) {
            CAPTURE(seed);
            World world(seed, 3);
            for (const char* id : {"a", "b"}) {
                ClientOptions options{id, id, false, {}, "state", 1};
                options.publish_retain = true;
                options.messages = 5;
                world.add(options);
            }
            REQUIRE(world.settle());
            const std::string before = world.broker().shared().retained.get("state")->payload;
            world.crash(true);
            const auto after = world.broker().shared().retained.get("state");
            REQUIRE(after != nullptr);
            CHECK(after->payload == before);
        }
    }
}
