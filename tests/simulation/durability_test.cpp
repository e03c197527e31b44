// Durability of sessions (`decisions.md` 17): the strictest session that a message matched decides,
// and a session that is promised less takes nothing from one that is promised more.
#include <doctest/doctest.h>

#include <string>

#include "tests/simulation/tally.hpp"
#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;
using broker::Durability;

namespace {

broker::Options options_with(Durability quick) {
    broker::Options options;
    options.listeners["quick"].durability = quick;
    return options;
}

struct Run : Outcome {
    unsigned unfinished = 0;
};

Client& add_publisher(World& world, const std::string& id, std::uint8_t qos,
                      const std::string& listener) {
    ClientOptions options{id, id, false, {}, "t/" + id, qos};
    options.messages = 12;
    options.listener = listener;
    return world.add(options);
}

Client& add_subscriber(World& world, const std::string& id, const std::string& filter,
                       std::uint8_t qos, const std::string& listener) {
    ClientOptions options{id, id, false, {{filter, qos}}};
    options.listener = listener;
    Client& client = world.add(options);
    for (int i = 0; i < 3000 && !client.subscribed; ++i) {
        (void)world.log().step();
        if (!client.connected()) {
            world.connect(client);
        }
        (void)client.step();
        world.turns(1);
    }
    return client;
}

Chances with_crashes() {
    Chances chances;
    chances.drop_per_mille = 8;
    chances.crash_per_mille = 6;
    chances.crashes_max = 3;
    chances.commit_error_per_mille = 30;
    return chances;
}

/// A durable and a quick subscriber of the same topics; publishers by both listeners.
struct Both {
    Run durable;
    Run quick;
};
Both run_side_by_side(std::uint64_t seed, std::uint8_t qos, Durability mode, LogOptions log) {
    World world(seed, 3, log, options_with(mode));
    Client& strict = add_subscriber(world, "strict", "t/#", qos, "sim");
    Client& quick = add_subscriber(world, "quick", "t/#", qos, "quick");
    const Client& a = add_publisher(world, "a", qos, "sim");
    // By way of the quick listener, to the durable subscriber: its promise is the same.
    const Client& b = add_publisher(world, "b", qos, "quick");
    world.run(1200, with_crashes());
    Both out;
    out.durable.unfinished += world.settle() ? 0U : 1U;
    for (const Client* publisher : {&a, &b}) {
        out.durable.unfinished += publisher->finished() ? 0U : 1U;
        out.durable.add(*publisher, strict, qos == 2 && publisher == &a);
        out.quick.add(*publisher, quick, false);
    }
    return out;
}

/// Only quick subscribers: what a crash takes from them.
Run run_alone(std::uint64_t seed, Durability mode) {
    World world(seed, 3, {}, options_with(mode));
    Client& quick = add_subscriber(world, "quick", "t/#", 1, "quick");
    const Client& a = add_publisher(world, "a", 1, "sim");
    world.run(1200, with_crashes());
    Run out;
    out.unfinished += world.settle() ? 0U : 1U;
    out.add(a, quick, false);
    return out;
}

constexpr unsigned kSeeds = 60;

}  // namespace

TEST_SUITE("simulation.durability") {
    TEST_CASE("a durable session beside a relaxed one loses nothing and gets nothing twice") {
        for (const bool real_disk : {false, true}) {
            LogOptions log;
            log.real_disk = real_disk;
            for (unsigned seed = 1; seed <= (real_disk ? kSeeds / 4 : kSeeds); ++seed) {
                for (const std::uint8_t qos : {std::uint8_t{1}, std::uint8_t{2}}) {
                    CAPTURE(seed);
                    CAPTURE(qos);
                    const Both both = run_side_by_side(seed, qos, Durability::relaxed, log);
                    CHECK(both.durable.unfinished == 0);
                    CHECK(both.durable.lost == 0);
                    CHECK(both.durable.twice == 0);
                    CHECK(both.durable.order == 0);
                }
            }
        }
    }

    TEST_CASE("a durable session beside one in memory loses nothing and gets nothing twice") {
        for (unsigned seed = 1; seed <= kSeeds; ++seed) {
            CAPTURE(seed);
            const Both both = run_side_by_side(seed, 1, Durability::memory, {});
            CHECK(both.durable.unfinished == 0);
            CHECK(both.durable.lost == 0);
            CHECK(both.durable.order == 0);
        }
    }

    TEST_CASE(
        "the check can fail: alone a relaxed session and one in memory lose what a crash takes") {
        for (const Durability mode : {Durability::relaxed, Durability::memory}) {
            Run sum;
            for (unsigned seed = 1; seed <= kSeeds; ++seed) {
                const Run one = run_alone(seed, mode);
                CHECK(one.unfinished == 0);
                sum.lost += one.lost;
                sum.delivered += one.delivered;
            }
            CHECK(sum.lost > 0);
            CHECK(sum.delivered > 0);
        }
    }

    TEST_CASE("only durable sessions make a PUBACK wait for the disk") {
        struct Row {
            const char* listener;
            std::size_t acknowledged;
        };
        for (const Row& row : {Row{"sim", 0}, Row{"quick", 1}}) {
            CAPTURE(row.listener);
            World world(1, 2, {}, options_with(Durability::relaxed));
            Client& subscriber = add_subscriber(world, "s", "t/#", 1, row.listener);
            ClientOptions publishing{"p", "p", true, {}, "t/p", 1};
            publishing.messages = 1;
            Client& publisher = connected(world, publishing);
            REQUIRE(world.settle());
            publisher.set_messages(2);
            const std::size_t before = publisher.acknowledged.size();
            for (int i = 0; i < 20; ++i) {  // no step of the disk
                (void)publisher.step();
                world.turns(1);
                (void)publisher.step();
                (void)subscriber.step();
            }
            CHECK(publisher.acknowledged.size() - before == row.acknowledged);
        }
    }

    TEST_CASE("in memory a session outlives its connection and nothing of it is on disk") {
        World world(1, 2, {}, options_with(Durability::memory));
        world.reconnect = false;
        Client& reader = add_subscriber(world, "r", "t/#", 1, "quick");
        reader.disconnect_cleanly();
        REQUIRE(world.settle());
        Client& writer = add_publisher(world, "w", 1, "sim");
        world.connect(writer);
        REQUIRE(world.settle());
        CHECK(writer.finished());
        CHECK(world.log().tables().queue_rows() == 0);
        world.connect(reader);
        REQUIRE(world.settle());
        CHECK(reader.session_present);
        CHECK(reader.deliveries.size() == 12);
        // A stricter listener cannot promise what was never written down.
        reader.disconnect_cleanly();
        REQUIRE(world.settle());
        world.connect(reader, "sim");
        REQUIRE(world.settle());
        CHECK_FALSE(reader.session_present);
    }

    TEST_CASE(
        "a session that was relaxed and comes by a durable listener waits for what was before") {
        World world(1, 1, {}, options_with(Durability::relaxed));
        world.reconnect = false;
        Client& client = add_subscriber(world, "c", "t/#", 1, "quick");
        client.disconnect_cleanly();
        world.turns();
        world.connect(client, "quick");
        for (int i = 0; i < 5; ++i) {
            world.turns(1);
            (void)client.step();
        }
        CHECK(client.connack == std::uint8_t{0});  // without a step of the disk
        client.disconnect_cleanly();
        world.turns();
        client.connack.reset();
        world.connect(client, "sim");
        for (int i = 0; i < 5; ++i) {
            world.turns(1);
            (void)client.step();
        }
        CHECK_FALSE(client.connack.has_value());
        REQUIRE(world.settle());
        CHECK(client.connack == std::uint8_t{0});
    }

    TEST_CASE("CONNACK by a durable listener says that a relaxed session is gone for good") {
        World world(1, 1, {}, options_with(Durability::relaxed));
        world.reconnect = false;
        Client& client = add_subscriber(world, "c", "t/#", 1, "quick");
        client.disconnect_cleanly();
        REQUIRE(world.settle());
        struct Row {
            const char* listener;
            bool at_once;
        };
        for (const Row& row : {Row{"sim", false}, Row{"quick", true}}) {
            CAPTURE(row.listener);
            Client& clean = world.add({"c", "c", true});
            world.connect(clean, row.listener);
            for (int i = 0; i < 5; ++i) {  // no step of the disk
                world.turns(1);
                (void)clean.step();
            }
            CHECK(clean.connack.has_value() == row.at_once);
            REQUIRE(world.settle());
            CHECK(clean.connack == std::uint8_t{0});
            clean.disconnect_cleanly();
            REQUIRE(world.settle());
            world.connect(client, "quick");
            REQUIRE(world.settle());
            client.disconnect_cleanly();
            REQUIRE(world.settle());
        }
    }
}
