// What a class allows each of its things: reached, told, and changed while it is connected
// (`product.md` 7.3).
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/bytes.hpp"
#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;
using namespace std::chrono_literals;
using broker::ShardStats;

namespace {

const acl::ClassRights kOtter{"7b", "otter", "weather", false};
constexpr const char* kThing = "th_otter";

broker::ThingLimits generous() {
    broker::ThingLimits limits;
    limits.messages_per_second = 100'000;
    limits.burst = 100'000;
    limits.payload_bytes_max = 100'000;
    limits.retained_max = 100'000;
    limits.queue_bytes_max = 1U << 30U;
    return limits;
}

broker::ThingLimits rate(std::uint32_t per_second, std::uint32_t burst) {
    broker::ThingLimits limits = generous();
    limits.messages_per_second = per_second;
    limits.burst = burst;
    return limits;
}

/// A thing of class 7b with these limits, connected and subscribed to its notices.
Client& thing(World& world, const broker::ThingLimits& limits, const std::string& id = "board",
              std::uint16_t keep_alive_s = 0) {
    world.directory().set_thing(kThing, kOtter, limits);
    ClientOptions options{id, kThing, true, {{"$me/notice", 0}}};
    options.keep_alive_s = keep_alive_s;
    Client& client = world.add(options);
    world.connect(client);
    REQUIRE(world.settle());
    return client;
}

/// Sees whatever is published in class 7b.
Client& reader_of_class(World& world) {
    return connected(world, {"r", "reader", true, {{"7b/#", 1}}});
}

void send(Client& client, int messages, const std::string& topic = "$me/t") {
    for (int i = 0; i < messages; ++i) {
        client.publish(topic, "m", 0, false);
    }
}

std::uint64_t received(World& world) {
    std::uint64_t sum = 0;
    for (const auto& stats : world.broker().shared().stats) {
        sum += stats->publishes_in[0].get();
    }
    return sum;
}

bool noticed(Client& client, const std::string& number) {
    return std::any_of(client.deliveries.begin(), client.deliveries.end(), [&](const auto& d) {
        return d.topic == "$me/notice" && d.payload.find(number) != std::string::npos;
    });
}

/// The class is changed, and that is effective.
void change(World& world, const broker::ThingLimits& limits, bool disconnect = false) {
    world.directory().set_thing(kThing, kOtter, limits, disconnect);
    bool effective = false;
    world.broker().change_rights({kThing}, [&] { effective = true; });
    world.turns(4);
    REQUIRE(effective);
}

}  // namespace

TEST_SUITE("simulation.class_limits") {
    TEST_CASE("a thing publishes its burst at once and then at its rate; nothing is lost") {
        World world(1, 1);
        Client& client = thing(world, rate(10, 5));
        send(client, 25);
        world.turns(100);
        CHECK(received(world) == 5);
        world.advance(80ms);
        world.turns(10);
        CHECK(received(world) == 5);
        world.advance(20ms);
        world.turns(10);
        CHECK(received(world) == 6);
        world.advance(1s);
        world.turns(100);
        CHECK(received(world) == 11);  // a pause saves up no more than the burst
        for (int i = 0; i < 20; ++i) {
            world.advance(100ms);
            world.turns(10);
        }
        CHECK(received(world) == 25);
        CHECK(client.connected());
        CHECK(world.broker().total(&ShardStats::slowed_publish) > 0);
    }

    TEST_CASE("the rate is the thing's, over all its connections and threads") {
        World world(2, 3);
        std::vector<Client*> boards;
        for (const char* id : {"a", "b", "c", "d"}) {
            boards.push_back(&thing(world, rate(10, 5), id));
        }
        for (Client* board : boards) {
            send(*board, 200);
        }
        for (int i = 0; i < 100; ++i) {
            world.advance(100ms);
            world.turns(10);
        }
        // 10 s at 10 a second, the burst, and one in the hand of each connection.
        CHECK(received(world) >= 100);
        CHECK(received(world) <= 100 + 5 + 4);
    }

    TEST_CASE("coming back is no way round the rate") {
        World world(3, 2);
        world.reconnect = false;
        Client& client = thing(world, rate(1, 5));
        for (int i = 0; i < 5; ++i) {
            send(client, 5);
            world.turns(50);
            client.lose_connection();
            world.connect(client);
            world.turns(50);
        }
        CHECK(received(world) == 5 + 4);  // the burst, and one in the hand of each connection
    }

    TEST_CASE("Keep Alive stands still while a thing is slowed, and goes on afterwards") {
        World world(4, 1);
        world.reconnect = false;
        Client& client = thing(world, rate(1, 1), "a", 1);
        Client& other = thing(world, rate(1, 1), "b");
        Client& third = thing(world, rate(1, 1), "c");
        for (Client* board : {&client, &other, &third}) {
            send(*board, 8);  // together three times too fast: each waits longer than 1.5 s
        }
        for (int i = 0; i < 22; ++i) {
            world.advance(1s);
            world.turns(10);
            (void)client.step();
            CHECK(client.connected());
        }
        REQUIRE(world.settle());
        CHECK(received(world) == 24);
        world.advance(3s);  // the pause for its last message ends
        REQUIRE(world.settle());
        CHECK(client.connected());
        world.advance(2s);
        REQUIRE(world.settle());
        CHECK_FALSE(client.connected());  // now it is silent by itself
        CHECK(world.broker().total(&ShardStats::keep_alive_timeouts) == 1);
    }

    TEST_CASE("who is slowed down is told, once while it lasts") {
        World world(5, 1);
        Client& client = thing(world, rate(10, 5));
        send(client, 60);
        for (int i = 0; i < 60; ++i) {
            world.advance(100ms);
            world.turns(5);
            (void)client.step();
        }
        CHECK(received(world) == 60);
        CHECK(told(world, "E3401") == 1);
        CHECK(noticed(client, "E3401"));
        CHECK(world.refusals[0].why ==
              "More than 10 messages a second (5 at once); slowed down to 10 a second.");
        CHECK(world.refusals[0].how.starts_with("Put delay(100) in loop()"));
        CHECK(world.broker().total(&ShardStats::slowed_publish) > 20);
    }

    TEST_CASE("a raised rate lets a waiting thing go on at once") {
        World world(6, 1);
        Client& client = thing(world, rate(1, 1));
        send(client, 30);
        world.turns(100);
        CHECK(received(world) == 1);
        change(world, rate(1000, 100));
        world.turns(100);
        CHECK(received(world) == 30);
        change(world, rate(1, 2));
        send(client, 30);
        world.turns(100);
        CHECK(received(world) == 32);
    }

    TEST_CASE("a thing without a class has no limits") {
        World world(7, 1);
        Client& client = world.add({"a", "u", true});
        REQUIRE(world.settle());
        send(client, 2000, "t");
        REQUIRE(world.settle());
        CHECK(received(world) == 2000);
        CHECK(world.broker().total(&ShardStats::slowed_publish) == 0);
        CHECK(world.broker().shared().principals.size() == 0);
    }

    TEST_CASE("a payload above the class's limit is acknowledged, not used, and told") {
        World world(8, 2);
        broker::ThingLimits limits = generous();
        limits.payload_bytes_max = 32;
        Client& client = thing(world, limits);
        Client& reader = reader_of_class(world);
        client.publish("$me/t", std::string(32, 'x'), 1, false);
        REQUIRE(world.settle());
        CHECK(reader.deliveries.size() == 1);
        client.publish("$me/t", std::string(33, 'y'), 1, true);
        client.publish("$me/t", std::string(33, 'z'), 2, true);
        REQUIRE(world.settle());
        CHECK(client.acknowledged.size() == 3);
        CHECK(client.connected());
        CHECK(reader.deliveries.size() == 1);
        CHECK(world.broker().shared().retained.size() == 0);
        REQUIRE(told(world, "E3402") >= 1);
        CHECK(world.refusals[0].why == "33 bytes; 32 are allowed in class 7b.");

        change(world, limits, true);
        client.publish("$me/t", std::string(33, 'y'), 1, false);
        world.reconnect = false;
        REQUIRE(world.settle());
        CHECK_FALSE(client.connected());
    }

    TEST_CASE("a Will above the class's limit is dropped and told, the connection stays") {
        World world(9, 1);
        broker::ThingLimits limits = generous();
        limits.payload_bytes_max = 4;
        world.directory().set_thing(kThing, kOtter, limits);
        ClientOptions options{"board-1", kThing, true};  // its id is the Will's payload: 7 bytes
        options.will_topic = "$me/will";
        world.reconnect = false;
        Client& client = world.add(options);
        Client& watcher = world.add({"w", "watcher", true, {{"7b/#", 1}}});
        world.connect(client);
        world.connect(watcher);
        REQUIRE(world.settle());
        CHECK(client.connected());
        CHECK(told(world, "E3402") == 1);
        client.lose_connection();
        REQUIRE(world.settle());
        CHECK(watcher.deliveries.empty());
    }

    TEST_CASE("retained messages beyond the thing's limit are delivered but not kept") {
        World world(10, 2);
        broker::ThingLimits limits = generous();
        limits.retained_max = 2;
        Client& client = thing(world, limits);
        Client& reader = reader_of_class(world);
        const auto retain = [&](const char* topic, const char* payload) {
            client.publish(topic, payload, 1, true);
            REQUIRE(world.settle());
        };
        retain("$me/a", "1");
        retain("7b/commons/b", "1");
        retain("$me/c", "1");
        CHECK(reader.deliveries.size() == 3);
        CHECK(client.acknowledged.size() == 3);
        CHECK(world.broker().shared().retained.size() == 2);
        CHECK(told(world, "E3406") == 1);
        retain("$me/a", "2");  // replaces
        retain("$me/a", "");   // makes room
        retain("$me/c", "2");
        CHECK(world.broker().shared().retained.size() == 2);
        CHECK(world.broker().shared().retained.get("7b/otter/weather/c") != nullptr);
        CHECK(told(world, "E3406") == 1);
    }

    TEST_CASE("retained messages in the own tree count on after a restart") {
        World world(11, 2);
        broker::ThingLimits limits = generous();
        limits.retained_max = 2;
        Client& client = thing(world, limits);
        client.publish("$me/a", "1", 1, true);
        client.publish("$me/b", "1", 1, true);
        REQUIRE(world.settle());
        world.crash(true);
        REQUIRE(world.settle());
        CHECK(world.broker().shared().retained.size() == 2);
        client.publish("$me/c", "1", 1, true);
        REQUIRE(world.settle());
        CHECK(world.broker().shared().retained.size() == 2);
        CHECK(told(world, "E3406") == 1);
    }

    TEST_CASE("the class's queue limit holds for a thing's session, also when it changes") {
        World world(12, 2);
        world.reconnect = false;
        broker::ThingLimits limits = generous();
        limits.queue_bytes_max = 2000;
        world.directory().set_thing(kThing, kOtter, limits);
        Client& sleeper = world.add({"board", kThing, false, {{"$me/t", 1}}});
        world.connect(sleeper);
        REQUIRE(world.settle());
        sleeper.lose_connection();
        REQUIRE(world.settle());
        ClientOptions publishing{"pub", "p", true, {}, "7b/otter/weather/t", 1};
        publishing.messages = 100;
        Client& writer = world.add(publishing);
        world.connect(writer);
        REQUIRE(world.settle());
        CHECK(writer.finished());
        const auto dropped = world.broker().total(&ShardStats::dropped_quota);
        CHECK(dropped > 50);
        CHECK(dropped < 100);
        CHECK(world.broker().total(&ShardStats::queued_bytes) <= 2200);
        CHECK(told(world, "E3403") >= 1);

        limits.queue_bytes_max = 1U << 20U;
        change(world, limits);
        writer.publish("7b/otter/weather/t", "more", 1, false);
        REQUIRE(world.settle());
        CHECK(world.broker().total(&ShardStats::dropped_quota) == dropped);
    }

    TEST_CASE("a client that changes its subscriptions too fast is slowed down and told") {
        broker::Options options;
        options.limits.subscription_changes_per_second = 10;
        options.limits.subscription_changes_burst = 3;
        World world(13, 1, LogFault::none, options);
        Client& client =
            world.add({"a", "u", true, {{"t/1", 0}, {"t/2", 0}, {"t/3", 0}, {"t/4", 0}}});
        world.connect(client);
        for (int i = 0; i < 50; ++i) {
            world.turns(4);
            (void)client.step();
        }
        CHECK(client.suback_codes.size() == 4);  // nothing is refused
        client.publish("t/1", "m", 0, false);
        world.turns(20);
        CHECK(received(world) == 0);
        CHECK(told(world, "E3409") == 1);
        world.advance(200ms);
        world.turns(20);
        CHECK(received(world) == 1);
        CHECK(world.broker().total(&ShardStats::slowed_subscribe) == 1);
    }

    TEST_CASE("$me/info tells a thing what it may") {
        World world(14, 1);
        world.directory().set_thing(kThing, kOtter, rate(10, 50));
        Client& client = world.add({"board", kThing, true, {{"$me/info", 0}}});
        REQUIRE(world.settle());
        REQUIRE(client.deliveries.size() == 1);
        CHECK(client.deliveries[0].payload.find(R"("messages_per_second":10,"burst":50)") !=
              std::string::npos);
    }

    TEST_CASE("bytes that a turn left over keep its thread awake") {
        broker::Options options;
        options.limits.turn_packets_max = 4;
        World world(15, 1, LogFault::none, options);
        Client& client = world.add({"a", "u", true});
        REQUIRE(world.settle());
        const auto before = world.broker().total(&ShardStats::packets_in);
        const std::string pings("\xc0\x00\xc0\x00\xc0\x00\xc0\x00\xc0\x00\xc0\x00\xc0\x00\xc0\x00",
                                16);
        for (int i = 0; i < 4; ++i) {
            client.send_raw(as_bytes(pings));
        }
        const auto wire = client.wire();
        const auto done = [&] { return world.broker().total(&ShardStats::packets_in) - before; };
        bool waited = false;
        while (done() < 32) {
            world.turns(1);
            if (done() < (64 - wire->to_broker.size()) / 2) {
                waited = true;
                CHECK_FALSE(world.would_sleep(0));
            }
        }
        CHECK(waited);
    }
}
