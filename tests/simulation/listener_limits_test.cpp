// A listener's own limits hold for its connections and for nobody else's.
#include <doctest/doctest.h>

#include <string>

#include "base/bytes.hpp"
#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;
using namespace std::chrono_literals;
using broker::ShardStats;

namespace {

/// The listener "small" as `limits` has it; others have the defaults.
broker::Options small(const broker::ConnectionLimits& limits) {
    broker::Options options;
    options.listeners["small"] = limits;
    return options;
}

struct Fixture {
    explicit Fixture(const broker::ConnectionLimits& limits, unsigned threads = 2)
        : world(1, threads, LogFault::none, small(limits)) {
        world.reconnect = false;
    }
    Client& connected(const std::string& listener, ClientOptions options) {
        return simulation::connected(world, std::move(options), listener);
    }
    /// A client of "small", and one of a listener without limits of its own.
    struct Two {
        Client& small;
        Client& other;
    };
    Two two() { return {connected("small", {"a", "u", true}), connected("sim", {"b", "u", true})}; }
    /// Both have met the limit of "small".
    void check_small_is_closed(const Two& clients) {
        REQUIRE(world.settle());
        CHECK_FALSE(clients.small.connected());
        CHECK(clients.other.connected());
    }

    World world;
};

}  // namespace

TEST_SUITE("simulation.listener_limits") {
    TEST_CASE("packet_bytes_max") {
        broker::ConnectionLimits limits;
        limits.packet_bytes_max = 1000;
        Fixture f(limits);
        const auto clients = f.two();
        clients.small.publish("t", std::string(2000, 'x'), 0, false);
        clients.other.publish("t", std::string(2000, 'x'), 0, false);
        f.check_small_is_closed(clients);
    }

    TEST_CASE("connections_max, and a closed connection makes room") {
        broker::ConnectionLimits limits;
        limits.connections_max = 2;
        Fixture f(limits, 3);
        Client& first = f.connected("small", {"a", "u", true});
        CHECK(f.connected("small", {"b", "u", true}).connack == 0);
        CHECK_FALSE(f.connected("small", {"c", "u", true}).connected());
        CHECK(f.connected("sim", {"d", "u", true}).connected());
        first.lose_connection();
        REQUIRE(f.world.settle());
        CHECK(f.connected("small", {"e", "u", true}).connack == 0);
        CHECK_FALSE(f.connected("small", {"f", "u", true}).connected());
    }

    TEST_CASE("connect_timeout") {
        broker::ConnectionLimits limits;
        limits.connect_timeout = 500ms;
        Fixture f(limits, 1);
        const auto quick = f.world.open_raw("small");
        const auto patient = f.world.open_raw("sim");
        f.world.advance(400ms);
        f.world.turns();
        CHECK_FALSE(quick->broker_closed);
        f.world.advance(200ms);
        f.world.turns();
        CHECK(quick->broker_closed);
        CHECK_FALSE(patient->broker_closed);
    }

    TEST_CASE("pre_connect_bytes_max") {
        broker::ConnectionLimits limits;
        limits.pre_connect_bytes_max = 1024;
        Fixture f(limits, 1);
        const std::string_view announced{"\x10\xff\x7f", 3};  // a CONNECT of 16,383 bytes
        for (const char* listener : {"small", "sim"}) {
            const auto wire = f.world.open_raw(listener);
            const auto bytes = as_bytes(announced);
            wire->to_broker.insert(wire->to_broker.end(), bytes.begin(), bytes.end());
            f.world.turns();
            CHECK(wire->broker_closed == (std::string{listener} == "small"));
        }
    }

    TEST_CASE("packet_timeout") {
        broker::ConnectionLimits limits;
        limits.packet_timeout = 1s;
        Fixture f(limits, 1);
        const auto clients = f.two();
        for (Client* client : {&clients.small, &clients.other}) {
            client->send_raw(as_bytes(std::string_view{"\x30\x7f", 2}));
        }
        f.world.turns(10);
        f.world.advance(1200ms);
        f.check_small_is_closed(clients);
    }

    TEST_CASE("keep_alive_max") {
        broker::ConnectionLimits limits;
        limits.keep_alive_max = 10s;
        Fixture f(limits);
        const auto clients = f.two();
        f.world.advance(15'200ms);
        f.check_small_is_closed(clients);
    }

    TEST_CASE("inflight_max") {
        broker::ConnectionLimits limits;
        limits.inflight_max = 3;
        Fixture f(limits, 1);
        Client& mute = f.connected("small", {"mute", "m", false, {{"t", 1}}});
        ClientOptions publishing{"p", "p", true, {}, "t", 1};
        publishing.messages = 10;
        Client& writer = f.world.add(publishing);
        f.world.connect(writer);
        for (int i = 0; i < 300; ++i) {  // `mute` does not read
            (void)f.world.log().step();
            f.world.turns(1);
            (void)writer.step();
        }
        CHECK(writer.acknowledged.size() == 10);
        CHECK(f.world.broker().total(&ShardStats::queued_messages) == 10);
        CHECK(f.world.broker().shared().stats[0]->publishes_out[1].get() == 3);
        REQUIRE(f.world.settle());
        CHECK(mute.deliveries.size() == 10);
    }

    TEST_CASE("the queue of a session is that of the listener by which its client came last") {
        broker::ConnectionLimits limits;
        limits.queue_messages_max = 3;
        Fixture f(limits);
        Client& sleeper = f.connected("sim", {"sleeper", "s", false, {{"t", 1}}});
        sleeper.lose_connection();
        REQUIRE(f.world.settle());
        ClientOptions publishing{"pub", "p", true, {}, "t", 1};
        publishing.messages = 5;
        Client& writer = f.connected("sim", publishing);
        CHECK(writer.finished());
        CHECK(f.world.broker().total(&ShardStats::dropped_quota) == 0);
        f.world.connect(sleeper, "small");
        REQUIRE(f.world.settle());
        CHECK(sleeper.deliveries.size() == 5);
        sleeper.lose_connection();
        REQUIRE(f.world.settle());
        for (int i = 0; i < 5; ++i) {
            writer.publish("t", "m", 1, false);
            REQUIRE(f.world.settle());
        }
        CHECK(f.world.broker().total(&ShardStats::dropped_quota) == 2);
    }

    TEST_CASE("queue_bytes_max and stuck_reader_timeout") {
        broker::ConnectionLimits limits;
        limits.queue_bytes_max = 1500;
        limits.stuck_reader_timeout = 1s;
        Fixture f(limits, 1);
        Client& sleeper = f.connected("small", {"sleeper", "s", false, {{"t", 1}}});
        sleeper.lose_connection();
        REQUIRE(f.world.settle());
        ClientOptions publishing{"pub", "p", true, {}, "t", 1};
        publishing.messages = 50;
        CHECK(f.connected("sim", publishing).finished());
        CHECK(f.world.broker().total(&ShardStats::dropped_quota) > 20);
        CHECK(f.world.broker().total(&ShardStats::queued_bytes) <= 1700);

        Client& stuck = f.connected("small", {"stuck", "u", true});
        stuck.wire()->takes_nothing = true;
        stuck.send_raw(as_bytes(std::string_view{"\xc0\x00", 2}));
        f.world.turns(4);
        f.world.advance(1200ms);
        f.world.turns(4);
        CHECK(f.world.broker().total(&ShardStats::connections) == 1);
    }
}
