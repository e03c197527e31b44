// Queues that memory does not hold (`dataplane.md` 2.7): flat for clients that are away, bounded
// for slow ones, and nothing lost, repeated or reordered on the way back.
#include <doctest/doctest.h>

#include <string>

#include "tests/simulation/tally.hpp"
#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;
using broker::ShardStats;

namespace {

/// A persistent subscriber that went away in order.
Client& away(World& world, std::uint8_t qos) {
    Client& client = connected(world, {"away", "a", false, {{"t/#", qos}}});
    client.disconnect_cleanly();
    REQUIRE(world.settle());
    return client;
}

Client& publish(World& world, const std::string& id, unsigned messages, std::uint8_t qos) {
    ClientOptions options{id, id, true, {}, "t/" + id, qos};
    options.messages = messages;
    options.window = 20;
    options.packet_ids = 20;
    return connected(world, options);
}

/// Everything of `publisher`, once, in order.
void check_all(const Client& subscriber, const Client& publisher, unsigned messages) {
    Outcome outcome;
    outcome.add(publisher, subscriber, true);
    CHECK(outcome.delivered == messages);
    CHECK(outcome.twice == 0);
    CHECK(outcome.order == 0);
    CHECK(outcome.lost == 0);
}

}  // namespace

TEST_SUITE("simulation.disk_queue") {
    TEST_CASE("a session whose client is away holds no message in memory") {
        for (const std::uint8_t qos : {std::uint8_t{1}, std::uint8_t{2}}) {
            World world(1, 2);
            world.reconnect = false;
            Client& reader = away(world, qos);
            const Client& a = publish(world, "a", 700, qos);
            const Client& b = publish(world, "b", 700, qos);
            CHECK(world.queue_memory() == 0);
            CHECK(world.log().tables().queue_rows() == 1400);
            CHECK(world.broker().total(&ShardStats::queued_messages) == 1400);
            world.connect(reader);
            REQUIRE(world.settle());
            check_all(reader, a, 700);
            check_all(reader, b, 700);
            CHECK(world.log().tables().queue_rows() == 0);
            CHECK(world.broker().total(&ShardStats::queued_messages) == 0);
            CHECK(world.broker().total(&ShardStats::queued_bytes) == 0);
        }
    }

    TEST_CASE("what was in flight when the client left goes first, as a repetition, in its order") {
        broker::Options options;
        options.limits.inflight_max = 3;
        World world(2, 2, {}, options);
        world.reconnect = false;
        Client& reader = connected(world, {"slow", "s", false, {{"t/#", 1}}});
        const auto wire = reader.wire();
        wire->takes_nothing = true;  // three are on their way, the others wait
        const Client& a = publish(world, "a", 10, 1);
        reader.lose_connection();
        REQUIRE(world.settle());
        CHECK(world.queue_memory() == 0);
        world.connect(reader);
        REQUIRE(world.settle());
        check_all(reader, a, 10);
        CHECK(reader.deliveries[0].dup);
        CHECK(reader.deliveries[2].dup);
        CHECK_FALSE(reader.deliveries[3].dup);
    }

    TEST_CASE("a client that is slow has a bounded part of its queue in memory") {
        broker::Options options;
        options.limits.inflight_max = 1;
        options.limits.queue_memory_bytes_max = 4'096;
        World world(3, 2, {}, options);
        world.reconnect = false;
        Client& reader = connected(world, {"slow", "s", false, {{"t/#", 2}}});
        reader.wire()->takes_nothing = true;
        const Client& a = publish(world, "a", 400, 2);
        CHECK(world.queue_memory() <= 3 * 4'096);  // pieces of memory are larger than messages
        CHECK(world.log().tables().queue_rows() == 400);
        reader.wire()->takes_nothing = false;
        REQUIRE(world.settle());
        check_all(reader, a, 400);
        CHECK(world.broker().total(&ShardStats::queued_bytes) == 0);
    }

    TEST_CASE("drop_oldest keeps the newest of a queue on disk, counted and told") {
        broker::Options options;
        options.limits.queue_messages_max = 20;
        options.limits.queue_full = broker::QueueFull::drop_oldest;
        World world(4, 1, {}, options);
        world.reconnect = false;
        Client& reader = away(world, 1);
        const Client& a = publish(world, "a", 50, 1);
        CHECK(a.finished());
        CHECK(world.log().tables().queue_rows() == 20);
        CHECK(world.broker().total(&ShardStats::dropped_quota) == 30);
        CHECK(!world.refusals.empty());
        world.connect(reader);
        REQUIRE(world.settle());
        REQUIRE(reader.deliveries.size() == 20);
        CHECK(reader.deliveries.front().payload == "a:30");
        CHECK(reader.deliveries.back().payload == "a:49");
    }

    TEST_CASE("a page that trims the queue and meets a client that comes back changes no order") {
        broker::Options options;
        options.limits.inflight_max = 2;
        options.limits.queue_messages_max = 10;
        options.limits.queue_full = broker::QueueFull::drop_oldest;
        World world(8, 1, {}, options);
        world.reconnect = false;
        ClientOptions slow{"slow", "s", false, {{"t/#", 1}}};
        slow.will_topic = "w";  // its record holds CONNACK back
        Client& reader = connected(world, slow);
        reader.wire()->takes_nothing = true;
        Client& a = publish(world, "a", 10, 1);
        reader.lose_connection();
        REQUIRE(world.settle());
        a.publish("t/a", "a:10", 1, false);
        while (world.log().tables().queue_rows() < 11) {  // the page is asked for, not yet read
            world.turns(1);
            (void)world.log().step();
        }
        world.turns();
        world.connect(reader);
        world.turns(8);
        CHECK(world.log().step_reader());
        world.turns();
        REQUIRE(world.settle());
        REQUIRE(reader.deliveries.size() == 10);
        CHECK(reader.deliveries[0].payload == "a:0");
        CHECK(reader.deliveries[0].dup);
        CHECK(reader.deliveries[1].payload == "a:1");
        CHECK(reader.deliveries[1].dup);
        CHECK(reader.deliveries[2].payload == "a:3");  // the oldest that was not in flight is gone
        CHECK(reader.deliveries.back().payload == "a:10");
        CHECK(world.broker().total(&ShardStats::queued_messages) == 0);
        CHECK(world.broker().total(&ShardStats::queued_bytes) == 0);
    }

    TEST_CASE("a client that leaves over and over while pages are on their way loses nothing") {
        broker::Options options;
        options.limits.inflight_max = 2;
        options.limits.queue_memory_bytes_max = 300;
        for (std::uint64_t seed = 1; seed <= 60; ++seed) {
            CAPTURE(seed);
            World world(seed, 3, {}, options);
            Client& reader = connected(world, {"reader", "r", false, {{"t/#", 2}}});
            ClientOptions publisher{"a", "a", false, {}, "t/a", 2};
            publisher.messages = 60;
            Client& a = world.add(publisher);
            publisher.id = publisher.user = "b";
            publisher.publish_topic = "t/b";
            Client& b = world.add(publisher);
            Chances chances;
            chances.drop_per_mille = 30;
            world.run(2'000, chances);
            REQUIRE(world.settle());
            CHECK(a.finished());
            CHECK(b.finished());
            check_all(reader, a, 60);
            check_all(reader, b, 60);
            CHECK(world.log().tables().queue_rows() == 0);
            CHECK(world.broker().total(&ShardStats::queued_messages) == 0);
        }
    }

    TEST_CASE("after a restart a queue is as long as it was, and is not in memory") {
        for (const bool real : {false, true}) {
            LogOptions log;
            log.real_disk = real;
            World world(5, 2, log);
            world.reconnect = false;
            Client& reader = away(world, 2);
            const Client& a = publish(world, "a", 600, 2);
            const auto bytes = world.broker().total(&ShardStats::queued_bytes);
            world.crash(true);
            CHECK(world.queue_memory() == 0);
            CHECK(world.broker().total(&ShardStats::queued_messages) == 600);
            CHECK(world.broker().total(&ShardStats::queued_bytes) == bytes);
            // What comes in this run stands behind what came in the last one.
            const Client& b = publish(world, "b", 100, 2);
            world.connect(reader);
            REQUIRE(world.settle());
            check_all(reader, a, 600);
            check_all(reader, b, 100);
            CHECK(reader.deliveries.front().payload == "a:0");
            CHECK(reader.deliveries.back().payload == "b:99");
            CHECK(world.broker().total(&ShardStats::queued_bytes) == 0);
        }
    }

    TEST_CASE("a session that ends takes its queue on disk along") {
        World world(6, 2);
        world.reconnect = false;
        (void)away(world, 1);
        (void)publish(world, "a", 50, 1);
        (void)connected(world, {"away", "a", true});
        CHECK(world.log().tables().queue_rows() == 0);
        CHECK(world.broker().total(&ShardStats::queued_messages) == 0);
        CHECK(world.broker().total(&ShardStats::queued_bytes) == 0);
    }

    TEST_CASE("rights that ended while a message lay on disk hold for it") {
        World world(7, 2);
        world.reconnect = false;
        Client& reader = away(world, 1);
        (void)publish(world, "a", 5, 1);
        world.directory().set_policy(
            "a",
            R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:Connect","iot:Subscribe"],"Resource":"*"}]})");
        world.connect(reader);
        REQUIRE(world.settle());
        CHECK(reader.deliveries.empty());
        CHECK(world.broker().total(&ShardStats::dropped_denied) == 5);
        CHECK(world.log().tables().queue_rows() == 0);
    }
}
