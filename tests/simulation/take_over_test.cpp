// Sessions stay on their home thread: three CONNECTs of one client id on three threads, reconnects
// in the middle of traffic, nothing lost, nothing reordered (`dataplane.md` 1).
#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;

TEST_SUITE("simulation.take_over") {
    TEST_CASE(
        "[MQTT-3.1.4-2] of several CONNECTs with one client id the last one stays, whatever the "
        "threads") {
        for (std::uint64_t seed = 1; seed <= 100; ++seed) {
            CAPTURE(seed);
            World world(seed, 3);
            world.reconnect = false;
            Client& a = world.add({"twin", "u"});
            Client& b = world.add({"twin", "u"});
            Client& c = world.add({"twin", "u"});
            for (Client* client : {&a, &b, &c}) {
                world.connect(*client);
            }
            REQUIRE(world.settle());
            const int alive = int{a.connected()} + int{b.connected()} + int{c.connected()};
            CHECK(alive == 1);
            CHECK(world.broker().total(&broker::ShardStats::sessions) == 1);
            CHECK(world.broker().total(&broker::ShardStats::connections) == 1);
        }
    }

    TEST_CASE(
        "[MQTT-3.1.2-10] a DISCONNECT that was sent before the CONNECT that takes over counts") {
        for (std::uint64_t seed = 1; seed <= 200; ++seed) {
            CAPTURE(seed);
            World world(seed, 3);
            world.reconnect = false;
            world.reads_all = true;
            Client& watcher = connected(world, {"watcher", "w", true, {{"gone", 1}}});
            ClientOptions options{"board", "u", seed % 2 == 0};
            options.will_topic = "gone";
            Client& board = connected(world, options);
            world.turns(seed % 4);
            board.disconnect_cleanly();  // its bytes lie in the socket
            Client& again = world.add({"board", "u", seed % 2 == 0});
            world.connect(again);
            REQUIRE(world.settle());
            CHECK(again.connected());
            CHECK(watcher.deliveries.empty());
        }
    }

    TEST_CASE("a client that waits to take over does not take over from one that came later") {
        for (unsigned before = 1; before <= 3; ++before) {
            CAPTURE(before);
            World world(1, 1);
            world.reconnect = false;
            world.reads_all = true;
            Client& board = connected(world, {"board", "u", true});
            Client& waiting = world.add({"board", "u", true});
            world.connect(waiting);
            world.turns(before);
            board.disconnect_cleanly();
            Client& last = world.add({"board", "u", true});
            world.connect(last);
            REQUIRE(world.settle());
            CHECK(last.connected());
            CHECK_FALSE(waiting.connected());
        }
    }

    TEST_CASE("a session that comes back was never out of the index that other threads route by") {
        World world(5, 2);
        world.reconnect = false;
        const std::vector<std::pair<std::string, std::uint8_t>> filters{
            {"b/c", 1}, {"b/+", 2}, {"+/c", 1}, {"+/+", 1}, {"b/#", 1}, {"+/#", 1}, {"#", 1}};
        Client& board = connected(world, {"board", "u", false, filters});
        std::atomic<bool> done{false};
        std::atomic<unsigned> missed{0};
        std::thread publisher([&] {
            const broker::TopicIndex& index = world.broker().shared().index;
            std::vector<broker::Subscriber> found;
            while (!done.load()) {
                found.clear();
                static_cast<void>(index.match("b/c", found));
                missed += found.size() == filters.size() ? 0U : 1U;
            }
        });
        unsigned resumed = 0;
        for (int i = 0; i < 5'000; ++i) {
            board.lose_connection();
            world.turns(1);
            world.connect(board);
            CHECK(world.settle());
            resumed += board.session_present ? 1U : 0U;
        }
        done = true;
        publisher.join();
        CHECK(resumed == 5'000);
        CHECK(missed == 0);
    }

    TEST_CASE("two principals with one client id never meet") {
        World world(7, 3);
        Client& a = world.add({"board", "otter"});
        Client& b = world.add({"board", "heron"});
        world.connect(a);
        world.connect(b);
        REQUIRE(world.settle());
        CHECK(a.connected());
        CHECK(b.connected());
        CHECK(a.connects == 1);
        CHECK(b.connects == 1);
    }

    TEST_CASE("messages follow a session over reconnects in order, at QoS 1 and 2") {
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
            for (const std::uint8_t qos : {std::uint8_t{1}, std::uint8_t{2}}) {
                CAPTURE(seed);
                World world(seed, 4);
                Client& subscriber = world.add({"sub", "s", false, {{"t", qos}}});
                REQUIRE(world.settle());
                ClientOptions options{"pub", "p", false, {}, "t", qos};
                options.messages = 20;
                Client& publisher = world.add(options);
                Chances chances;
                chances.drop_per_mille =
                    25;  // publisher and subscriber alike land on another thread each time
                world.run(1200, chances);
                REQUIRE(world.settle());
                CHECK(publisher.acknowledged.size() == 20);
                unsigned next = 0;
                for (const auto& delivery : subscriber.deliveries) {
                    const auto number =
                        static_cast<unsigned>(std::stoul(delivery.payload.substr(4)));
                    CHECK(number <= next);
                    next += number == next ? 1U : 0U;
                }
                CHECK(next == 20);
            }
        }
    }

    TEST_CASE("[MQTT-3.1.2-6] a session that Clean Session 1 ended is not back after a crash") {
        World world(11, 2);
        world.reconnect = false;
        Client& keeper = world.add({"c", "u", false, {{"t", 1}}});
        world.connect(keeper);
        REQUIRE(world.settle());
        keeper.disconnect_cleanly();
        REQUIRE(world.settle());
        Client& clean = world.add({"c", "u", true});
        world.connect(clean);
        const auto answered = [&] {
            world.turns();
            (void)clean.step();
            return clean.connack.has_value();
        };
        CHECK_FALSE(answered());  // the disk has not worked yet
        while (world.log().step(false)) {
        }
        CHECK(answered());
        world.crash(false);
        Client& again = world.add({"c", "u", false});
        world.connect(again);
        REQUIRE(world.settle());
        CHECK(again.connack.has_value());
        CHECK_FALSE(again.session_present);
    }

    TEST_CASE(
        "[MQTT-3.1.2-8] a Will is published on take-over and on a lost connection, not after "
        "DISCONNECT") {
        World world(3, 2);
        world.reconnect = false;
        Client& watcher = world.add({"watcher", "w", true, {{"will", 1}}});
        world.connect(watcher);
        REQUIRE(world.settle());
        ClientOptions options{"mortal", "m", true};
        options.will_topic = "will";
        Client& first = world.add(options);
        world.connect(first);
        REQUIRE(world.settle());
        Client& second = world.add(options);
        world.connect(second);
        REQUIRE(world.settle());
        CHECK(watcher.deliveries.size() == 1);
        second.lose_connection();
        REQUIRE(world.settle());
        CHECK(watcher.deliveries.size() == 2);
        world.connect(second);
        REQUIRE(world.settle());
        second.disconnect_cleanly();
        REQUIRE(world.settle());
        CHECK(watcher.deliveries.size() == 2);
    }
}
