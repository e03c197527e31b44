// What happens when messages come faster than they go (`dataplane.md` 6): who waits, who is
// refused, what is shed, and that all of it ends.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/bytes.hpp"
#include "broker/session_table.hpp"
#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;
using namespace std::chrono_literals;
using broker::ShardStats;

namespace {

/// A client id whose session of `scope` lives on `thread`.
std::string id_on(unsigned thread, unsigned threads, const std::string& scope) {
    for (int i = 0;; ++i) {
        std::string id = scope + std::to_string(i);
        if (broker::home_thread(scope, id, threads) == thread) {
            return id;
        }
    }
}

Client& connected(World& world, ClientOptions options) {
    Client& client = world.add(std::move(options));
    world.connect(client);
    REQUIRE(world.settle());
    return client;
}

std::size_t told(const World& world, const std::string& number) {
    return static_cast<std::size_t>(
        std::count_if(world.refusals.begin(), world.refusals.end(),
                      [&](const auto& refusal) { return refusal.number == number; }));
}

/// Only thread 0 runs; thread 1 stands still.
void turn_first(World& world, unsigned rounds) {
    for (unsigned i = 0; i < rounds; ++i) {
        world.turn(0);
    }
}

std::uint64_t received(World& world) {
    return world.broker().shared().stats[0]->publishes_in[0].get();
}

broker::Options small_mailbox() {
    broker::Options options;
    options.limits.mailbox_bytes_max = 4096;
    return options;
}

/// A persistent session that takes "t" at QoS 1 and is away.
Client& sleeper(World& world) {
    Client& client = connected(world, {"sleeper", "s", false, {{"t", 1}}});
    client.lose_connection();
    REQUIRE(world.settle());
    return client;
}

}  // namespace

TEST_SUITE("simulation.back_pressure") {
    TEST_CASE(
        "R5: a mailbox above its limit pauses those who publish to its thread, nobody else, until "
        "it is drained") {
        World world(1, 2, LogFault::none, small_mailbox());
        world.reconnect = false;
        Client& reader = connected(world, {id_on(1, 2, "reader"), "reader", true, {{"far", 0}}});
        Client& writer = connected(world, {id_on(0, 2, "writer"), "writer", true});
        Client& neighbour = connected(world, {id_on(0, 2, "local"), "local", true, {{"near", 0}}});
        for (int i = 0; i < 100; ++i) {
            writer.publish("far", std::string(200, 'x'), 0, false);
        }
        turn_first(world, 2000);
        const auto taken = received(world);
        CHECK(taken >= 10);
        CHECK(taken < 30);
        for (int i = 0; i < 3; ++i) {
            neighbour.publish("near", "m", 0, false);
            turn_first(world, 20);
        }
        (void)neighbour.step();
        CHECK(neighbour.deliveries.size() == 3);
        CHECK(received(world) == taken + 3);
        // Nobody wakes the thread when there is room: it looks again by itself.
        REQUIRE(world.next_deadline(0).has_value());
        CHECK(*world.next_deadline(0) <= world.now() + 5ms);

        world.turn(1);  // drains
        turn_first(world, 20);
        CHECK(received(world) > taken + 3);
        REQUIRE(world.settle());
        CHECK(reader.deliveries.size() == 100);
        CHECK(writer.connected());
    }

    TEST_CASE("R6: deadlines stand still during a pause and go on after it") {
        World world(2, 2, LogFault::none, small_mailbox());
        world.reconnect = false;
        connected(world, {id_on(1, 2, "reader"), "reader", true, {{"far", 0}}});
        ClientOptions options{id_on(0, 2, "writer"), "writer", true};
        options.keep_alive_s = 10;
        Client& writer = connected(world, options);
        for (int i = 0; i < 30; ++i) {
            writer.publish("far", std::string(200, 'x'), 0, false);
        }
        turn_first(world, 2000);
        CHECK(received(world) < 30);  // paused, somewhere in a packet
        world.advance(60s);           // longer than Keep Alive and than a packet may take
        turn_first(world, 20);
        world.turn(1);
        REQUIRE(world.settle());
        CHECK(writer.connected());
        CHECK(received(world) == 30);
        world.advance(14s);
        REQUIRE(world.settle());
        CHECK(writer.connected());
        world.advance(2s);
        REQUIRE(world.settle());
        CHECK_FALSE(writer.connected());
        CHECK(world.broker().total(&ShardStats::keep_alive_timeouts) == 1);
    }

    TEST_CASE("R6: a packet that has begun has its time after the pause as well") {
        World world(10, 2, LogFault::none, small_mailbox());
        world.reconnect = false;
        connected(world, {id_on(1, 2, "reader"), "reader", true, {{"far", 0}}});
        Client& writer = connected(world, {id_on(0, 2, "writer"), "writer", true});
        for (int i = 0; i < 30; ++i) {
            writer.publish("far", std::string(200, 'x'), 0, false);
        }
        turn_first(world, 2000);
        CHECK(received(world) < 30);
        // What is not read yet comes late, behind the pause.
        std::deque<std::byte> late;
        late.swap(writer.wire()->to_broker);
        world.advance(60s);
        turn_first(world, 20);
        world.turn(1);
        turn_first(world, 20);
        world.advance(29s);
        REQUIRE(world.settle());
        CHECK(writer.connected());
        late.swap(writer.wire()->to_broker);
        REQUIRE(world.settle());
        CHECK(received(world) == 30);
    }

    TEST_CASE(
        "R4: above the memory mark things are shed in their order, and persistent sessions lose "
        "only in the last stage") {
        constexpr std::size_t kMark = 100'000;
        broker::Options options;
        options.limits.memory_bytes_max = kMark;
        options.limits.inflight_max = 1;
        World world(3, 1, LogFault::none, options);
        world.reconnect = false;
        sleeper(world);
        Client& slow = connected(world, {"slow", "slow", true, {{"slow", 1}}});
        Client& writer = connected(world, {"w", "w", true});
        const auto& stats = *world.broker().shared().stats[0];
        const auto fill_to = [&](std::size_t bytes) {
            while (stats.queued_bytes.get() <= bytes) {
                writer.publish("t", std::string(1000, 'x'), 1, false);
                REQUIRE(world.settle());
            }
        };
        // `slow` takes no bytes: what it gets has to wait.
        const auto shed_by = [&](std::uint8_t qos) {
            const auto before = stats.dropped_memory.get();
            slow.wire()->takes_nothing = true;
            for (int i = 0; i < 3; ++i) {
                writer.publish("slow", std::string(500, 'y'), qos, false);
                world.turns(60);
                (void)writer.step();
            }
            slow.wire()->takes_nothing = false;
            const auto shed = stats.dropped_memory.get() - before;
            REQUIRE(world.settle());
            return shed;
        };
        int number = 0;
        const auto admitted = [&] {
            const std::string id = "new" + std::to_string(++number);
            Client& client = connected(world, {id, id, true});
            const bool in = client.connack == 0;
            client.lose_connection();
            REQUIRE(world.settle());
            return in;
        };

        fill_to(kMark * 8 / 10);
        CHECK(shed_by(0) == 0);

        fill_to(kMark);
        CHECK(shed_by(0) > 0);
        CHECK(shed_by(1) == 0);
        CHECK(admitted());

        fill_to(kMark + kMark / 8);
        CHECK(shed_by(1) == 0);  // below its fair share
        CHECK(admitted());

        fill_to(kMark + kMark / 4);
        CHECK_FALSE(admitted());
        CHECK(stats.dropped_quota.get() == 0);

        const auto rows = world.log().tables().queue_rows();
        fill_to(kMark + kMark * 4 / 10);
        CHECK(world.log().tables().queue_rows() > rows);
        for (int i = 0; i < 40; ++i) {
            writer.publish("t", std::string(1000, 'x'), 1, false);
            REQUIRE(world.settle());
        }
        CHECK(stats.dropped_quota.get() > 0);
        CHECK(stats.queued_bytes.get() <= kMark + kMark / 2 + 4096);
        CHECK(told(world, "E3403") > 0);
    }

    TEST_CASE("R4: a clean session above its fair share keeps nothing more") {
        broker::Options options;
        options.limits.memory_bytes_max = 20'000;
        options.limits.inflight_max = 1;
        World world(4, 1, LogFault::none, options);
        world.reconnect = false;
        Client& mute = connected(world, {"mute", "m", true, {{"t", 1}}});
        Client& writer = connected(world, {"w", "w", true});
        for (int i = 0; i < 60; ++i) {  // `mute` does not read: one in flight, the others wait
            writer.publish("t", std::string(1000, 'x'), 1, false);
            for (int j = 0; j < 60; ++j) {
                world.turns(1);
                (void)writer.step();
            }
        }
        const auto& stats = *world.broker().shared().stats[0];
        CHECK(writer.acknowledged.size() == 60);
        CHECK(stats.dropped_memory.get() > 0);
        CHECK(stats.queued_bytes.get() > 20'000 + 20'000 / 8);  // not in the stage before
        CHECK(stats.queued_bytes.get() < 20'000 + 20'000 / 4);
        CHECK(mute.connected());
    }
}
