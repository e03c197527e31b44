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

/// A payload that fills, with what is kept about it, a 2 KiB piece of memory.
constexpr std::size_t kFills = 1'984;

/// A client id whose session of `scope` lives on `thread`.
std::string id_on(unsigned thread, unsigned threads, const std::string& scope) {
    for (int i = 0;; ++i) {
        std::string id = scope + std::to_string(i);
        if (broker::home_thread(scope, id, threads) == thread) {
            return id;
        }
    }
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

broker::Options refusing(std::size_t messages_max) {
    broker::Options options;
    options.limits.queue_full = broker::QueueFull::refuse;
    options.limits.queue_messages_max = messages_max;
    return options;
}

/// A persistent session that takes "t" at QoS 1 and is away.
Client& sleeper(World& world) {
    Client& client = connected(world, {"sleeper", "s", false, {{"t", 1}}});
    client.lose_connection();
    REQUIRE(world.settle());
    return client;
}

ClientOptions publishing(unsigned messages) {
    ClientOptions options{"pub", "p", false, {}, "t", 1};
    options.messages = messages;
    options.window = 1;
    return options;
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
        "R1: a client that fills the log and waits for no answer is read when the disk works") {
        broker::Options options;
        options.limits.log_pending_bytes_max = 10'000;
        World world(2, 1, LogFault::none, options);
        world.reconnect = false;
        Client& writer = connected(world, {"w", "w", true});
        for (int i = 0; i < 100; ++i) {
            writer.publish("state", std::string(1'000, 'x') + std::to_string(i), 0, true);
        }
        world.turns(20'000);  // and no step of the disk
        CHECK(world.log().pending_bytes() > 10'000);
        CHECK(world.log().pending_bytes() < 13'000);
        CHECK(writer.connected());
        // Nobody wakes the thread when what others appended is written: it looks again by itself.
        REQUIRE(world.next_deadline(0).has_value());
        CHECK(*world.next_deadline(0) <= world.now() + 5ms);
        REQUIRE(world.settle());
        CHECK(world.log().pending_bytes() == 0);
        CHECK(world.broker().shared().retained.get("state")->payload.ends_with("x99"));
    }

    TEST_CASE("pauses that end give nobody more than its packets of a turn") {
        broker::Options options;
        options.limits.turn_packets_max = 1;
        options.limits.gate_packets_max = 1;
        World world(11, 1, LogFault::none, options);
        world.reconnect = false;
        ClientOptions publishing{"w", "w", true};
        publishing.packet_ids = 100;
        Client& writer = connected(world, publishing);
        for (int i = 0; i < 100; ++i) {
            writer.publish("t", "", 1, true);  // clears: recorded, so each PUBACK shuts the gate
        }
        const auto packets = [&] { return world.broker().total(&ShardStats::packets_in); };
        const auto all = packets() + 100;
        for (int i = 0; i < 1000 && packets() < all; ++i) {
            const auto before = packets();
            (void)world.log().step();
            (void)world.log().step();
            world.turns(1);
            CHECK(packets() - before <= 2);  // one that was left over, one that was read
        }
        CHECK(packets() == all);
        REQUIRE(world.settle());
        CHECK(writer.acknowledged.size() == 100);
    }

    TEST_CASE(
        "R4: above the memory mark things are shed in their order, and persistent sessions lose "
        "only in the last stage") {
        constexpr std::size_t kMark = 100'000;
        broker::Options options;
        options.limits.memory_bytes_max = kMark;
        options.limits.inflight_max = 1;
        World world(3, 1, queues_in_memory(), options);
        world.reconnect = false;
        sleeper(world);
        Client& slow = connected(world, {"slow", "slow", true, {{"slow", 1}}});
        Client& writer = connected(world, {"w", "w", true});
        const auto& stats = *world.broker().shared().stats[0];
        const auto fill_to = [&](std::size_t bytes) {
            while (stats.queued_bytes.get() <= bytes) {
                writer.publish("t", std::string(kFills, 'x'), 1, false);
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
            writer.publish("t", std::string(kFills, 'x'), 1, false);
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
            writer.publish("t", std::string(kFills, 'x'), 1, false);
            for (int j = 0; j < 120; ++j) {
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

    TEST_CASE(
        "queue_full = refuse: no PUBACK, the publisher is closed and told, and nothing "
        "acknowledged is lost") {
        World world(5, 2, LogFault::none, refusing(3));
        world.reconnect = false;
        Client& away = sleeper(world);
        Client& writer = connected(world, publishing(5));
        CHECK(writer.acknowledged.size() == 3);
        CHECK_FALSE(writer.connected());
        CHECK(world.log().tables().queue_rows() == 3);
        CHECK(world.broker().total(&ShardStats::dropped_quota) == 0);
        CHECK(world.broker().total(&ShardStats::refused_full) == 1);
        CHECK(told(world, "E3407") == 1);
        world.connect(away);
        REQUIRE(world.settle());
        CHECK(away.deliveries.size() == 3);
        world.connect(writer);
        REQUIRE(world.settle());
        CHECK(writer.acknowledged.size() == 5);
        CHECK(away.deliveries.size() == 5);
    }

    TEST_CASE("queue_full = refuse at QoS 2: not received, so the repetition is the first") {
        World world(6, 2, LogFault::none, refusing(1));
        world.reconnect = false;
        Client& away = connected(world, {"sleeper", "s", false, {{"t", 2}}});
        away.lose_connection();
        REQUIRE(world.settle());
        ClientOptions options = publishing(2);
        options.publish_qos = 2;
        Client& writer = connected(world, options);
        CHECK(writer.acknowledged.size() == 1);
        CHECK_FALSE(writer.connected());
        world.connect(away);
        REQUIRE(world.settle());
        world.connect(writer);
        REQUIRE(world.settle());
        CHECK(writer.acknowledged.size() == 2);
        CHECK(away.deliveries.size() == 2);
    }

    TEST_CASE("queue_full = refuse: whatever the threads, what was acknowledged is delivered") {
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            CAPTURE(seed);
            World world(seed, 3, LogFault::none, refusing(4));
            Client& reader = world.add({"reader", "r", false, {{"t", 1}}});
            REQUIRE(world.settle());
            std::vector<Client*> writers;
            for (const char* id : {"a", "b", "c"}) {
                ClientOptions options{id, id, false, {}, "t", 1};
                options.messages = 10;
                writers.push_back(&world.add(options));
            }
            Chances chances;
            chances.drop_per_mille = 20;
            world.run(2500, chances);
            REQUIRE(world.settle());
            std::set<std::string> got;
            for (const auto& delivery : reader.deliveries) {
                got.insert(delivery.payload);
            }
            for (const Client* writer : writers) {
                CHECK(writer->acknowledged.size() == 10);
            }
            CHECK(got.size() == 30);
            CHECK(world.broker().total(&ShardStats::dropped_quota) == 0);
        }
    }

    TEST_CASE("queue_full = refuse: a queue takes messages again when a quarter of it is free") {
        broker::Options options = refusing(8);
        options.limits.inflight_max = 1;
        World world(7, 1, LogFault::none, options);
        world.reconnect = false;
        Client& away = sleeper(world);
        Client& writer = connected(world, publishing(9));
        CHECK(writer.acknowledged.size() == 8);
        const auto run = [&](Client* reader) {
            for (int i = 0; i < 40; ++i) {
                (void)world.log().step();
                (void)world.log().step_reader();
                world.turns(1);
                (void)writer.step();
            }
            if (reader != nullptr) {
                (void)reader->step();
            }
        };
        const auto refused = [&] { return world.broker().total(&ShardStats::refused_full); };
        CHECK(refused() == 1);
        world.connect(away);
        for (const std::size_t taken : {1U, 2U}) {
            run(&away);
            CHECK(away.deliveries.size() == taken);
            world.connect(writer);
            run(nullptr);
            CHECK(refused() == 1 + taken);
            CHECK_FALSE(writer.connected());
        }
        run(&away);  // 5 are left
        world.connect(writer);
        run(nullptr);
        CHECK(refused() == 3);
        CHECK(writer.acknowledged.size() == 9);
    }

    TEST_CASE("queue_full = refuse: QoS 0 and Wills are not refused, and what is dropped counts") {
        World world(8, 2, LogFault::none, refusing(2));
        world.reconnect = false;
        sleeper(world);
        CHECK(connected(world, publishing(2)).acknowledged.size() == 2);
        Client& other = connected(world, {"other", "o", true});
        other.publish("t", "m", 0, false);
        REQUIRE(world.settle());
        CHECK(other.connected());
        ClientOptions options{"mortal", "m", true};
        options.will_topic = "t";
        Client& mortal = connected(world, options);
        mortal.lose_connection();
        REQUIRE(world.settle());
        CHECK(world.broker().total(&ShardStats::dropped_quota) == 1);
        CHECK(world.log().tables().queue_rows() == 2);
        CHECK(told(world, "E3403") == 1);
    }

    TEST_CASE(
        "R3: pacing holds a PUBACK back at most as long as it may while a connected receiver has "
        "half its queue waiting") {
        broker::Options options;
        options.limits.queue_messages_max = 10;
        options.limits.inflight_max = 1;
        options.limits.publish_pacing = 100ms;
        World world(9, 2, LogFault::none, options);
        world.reconnect = false;
        Client& slow = connected(world, {"slow", "s", false, {{"t", 1}}});
        Client& writer = connected(world, publishing(0));
        const auto time_to_ack = [&] {
            const auto before = writer.acknowledged.size();
            const TimePoint from = world.now();
            writer.publish("t", "m", 1, false);
            while (writer.acknowledged.size() == before) {
                (void)world.log().step();
                world.turns(1);
                (void)writer.step();  // `slow` does not read
                REQUIRE(world.now() < from + 1s);
            }
            return world.now() - from;
        };
        for (int i = 0; i < 5; ++i) {
            CHECK(time_to_ack() < 20ms);
        }
        for (int i = 0; i < 3; ++i) {
            const auto time = time_to_ack();
            CHECK(time >= 99ms);
            CHECK(time <= 110ms);
        }
        CHECK(world.broker().total(&ShardStats::slowed_receiver) == 3);
        CHECK(world.broker().total(&ShardStats::dropped_quota) == 0);
        slow.lose_connection();  // nobody who could take messages: waiting would help nothing
        for (int i = 0; i < 20; ++i) {
            world.turns(1);
        }
        CHECK(time_to_ack() < 20ms);
    }
}
