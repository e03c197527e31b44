// Every limit of the data plane, reached: what happens, and that it is told (`decisions.md` 18).
#include <doctest/doctest.h>

#include <string>

#include "base/bytes.hpp"
#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;

namespace {

void send(Wire& wire, std::string_view bytes) {
    const auto span = as_bytes(bytes);
    wire.to_broker.insert(wire.to_broker.end(), span.begin(), span.end());
}

}  // namespace

TEST_SUITE("simulation.limits") {
    TEST_CASE("no CONNECT in time closes the connection") {
        World world(1, 1);
        const auto wire = world.open_raw();
        world.advance(std::chrono::milliseconds{9'900});
        world.turns();
        CHECK_FALSE(wire->broker_closed);
        world.advance(std::chrono::milliseconds{200});
        world.turns();
        CHECK(wire->broker_closed);
    }

    TEST_CASE(
        "a packet that is begun and not finished closes the connection, bytes that trickle do not "
        "help") {
        World world(2, 1);
        world.reconnect = false;
        Client& client = connected(world, {"a", "u", true});
        client.send_raw(as_bytes(std::string_view{"\x30\x7f", 2}));
        for (int i = 0; i < 31; ++i) {
            world.turns();
            world.advance(std::chrono::seconds{1});
            if (client.connected()) {
                client.send_raw(as_bytes("x"));
            }
            (void)client.step();
        }
        REQUIRE(world.settle());
        CHECK_FALSE(client.connected());
    }

    TEST_CASE("more bytes than allowed before a whole CONNECT close the connection") {
        broker::Options options;
        options.limits.pre_connect_bytes_max = 1024;
        World world(3, 1, LogFault::none, options);
        const auto wire = world.open_raw();
        send(*wire, std::string_view{"\x10\xff\x7f", 3});  // announces 16,383 bytes
        world.turns();
        CHECK(wire->broker_closed);
    }

    TEST_CASE("a packet above the limit closes the connection") {
        broker::Options options;
        options.limits.packet_bytes_max = 1000;
        World world(4, 1, LogFault::none, options);
        world.reconnect = false;
        Client& client = connected(world, {"a", "u", true});
        client.publish("t", std::string(2000, 'x'), 0, false);
        REQUIRE(world.settle());
        CHECK_FALSE(client.connected());
    }

    TEST_CASE("[MQTT-3.1.3-9] a Client Identifier that is too long is rejected with 2") {
        broker::Options options;
        options.limits.client_id_bytes_max = 30;
        World world(5, 1, LogFault::none, options);
        world.reconnect = false;
        CHECK(connected(world, {std::string(31, 'c'), "u", true}).connack == 2);
        CHECK(connected(world, {std::string(30, 'c'), "u", true}).connack == 0);
    }

    TEST_CASE("[MQTT-4.8.0-2] as many sessions and connections as allowed, then 3 and closed") {
        broker::Options options;
        options.limits.sessions_max = 2;
        World world(6, 2, LogFault::none, options);
        world.reconnect = false;
        CHECK(connected(world, {"a", "u", true}).connack == 0);
        CHECK(connected(world, {"b", "u", true}).connack == 0);
        CHECK(connected(world, {"c", "u", true}).connack == 3);
        CHECK(connected(world, {"a", "u", true}).connack == 0);  // a take-over needs no new session

        options.limits.sessions_max = 100;
        options.limits.connections_max = 1;
        World narrow(6, 2, LogFault::none, options);
        narrow.reconnect = false;
        CHECK(connected(narrow, {"a", "u", true}).connack == 0);
        Client& refused = connected(narrow, {"b", "u", true});
        CHECK_FALSE(refused.connack.has_value());
        CHECK_FALSE(refused.connected());
    }

    TEST_CASE("subscriptions beyond the limit get 0x80, a replaced one does not count") {
        broker::Options options;
        options.limits.filters_max = 2;
        World world(7, 1, LogFault::none, options);
        Client& client =
            world.add({"a", "u", true, {{"t/1", 0}, {"t/2", 0}, {"t/3", 0}, {"t/2", 1}}});
        REQUIRE(world.settle());
        CHECK(client.suback_codes == std::vector<std::uint8_t>{0, 0, 0x80, 1});
        REQUIRE(!world.refusals.empty());
        CHECK(world.refusals[0].number == "E3106");
    }

    TEST_CASE(
        "topics with more levels than allowed are refused and told; without a limit thousands are "
        "fine") {
        broker::Options options;
        options.limits.topic_levels_max = 3;
        World world(8, 1, LogFault::none, options);
        Client& client = world.add({"a", "u", true, {{"a/b/c", 0}, {"a/b/c/d", 0}}});
        REQUIRE(world.settle());
        CHECK(client.suback_codes == std::vector<std::uint8_t>{0, 0x80});
        client.publish("a/b/c/d", "m", 1, false);
        REQUIRE(world.settle());
        CHECK(client.acknowledged.size() == 1);
        CHECK(world.refusals[0].number == "E3405");

        World open(8, 1);
        const std::string deep(20'000, '/');
        Client& other = open.add({"a", "u", true, {{deep, 0}}});
        REQUIRE(open.settle());
        other.publish(deep, "m", 0, false);
        REQUIRE(open.settle());
        CHECK(other.deliveries.size() == 1);
    }

    TEST_CASE("keep_alive_max watches clients that ask for more or for none") {
        broker::Options options;
        options.limits.keep_alive_max = std::chrono::seconds{10};
        World world(9, 1, LogFault::none, options);
        world.reconnect = false;
        Client& client = connected(world, {"a", "u", true});
        world.advance(std::chrono::milliseconds{15'200});
        REQUIRE(world.settle());
        CHECK_FALSE(client.connected());
    }

    TEST_CASE("a burst of packets above the limit of a turn is answered whole, in several turns") {
        broker::Options options;
        options.limits.turn_packets_max = 4;
        World world(10, 1, LogFault::none, options);
        Client& client = connected(world, {"a", "u", true});
        for (int i = 0; i < 100; ++i) {
            client.publish("t", "m", 0, false);
        }
        REQUIRE(world.settle());
        CHECK(world.broker().shared().stats[0]->publishes_in[0].get() == 100);
        CHECK(client.connected());
    }

    TEST_CASE(
        "gated acknowledgements above their limit pause the reader until the disk has caught up") {
        broker::Options options;
        options.limits.gate_packets_max = 5;
        World world(11, 1, LogFault::none, options);
        ClientOptions publisher{"a", "u", true, {}, "t", 1};
        publisher.publish_retain = true;
        publisher.messages = 40;
        publisher.window = 40;
        publisher.packet_ids = 40;
        Client& client = world.add(publisher);
        world.connect(client);
        for (int i = 0; i < 200; ++i) {  // the disk stands still
            world.turns(1);
            (void)client.step();
        }
        const auto read = world.broker().shared().stats[0]->publishes_in[1].get();
        CHECK(read >= 5);
        CHECK(read < 40);
        CHECK(client.acknowledged.empty());
        REQUIRE(world.settle());
        CHECK(client.acknowledged.size() == 40);
    }

    TEST_CASE("the in-flight window bounds what is sent unacknowledged") {
        broker::Options options;
        options.limits.inflight_max = 3;
        World world(12, 1, LogFault::none, options);
        world.reconnect = false;
        Client& mute = connected(world, {"mute", "m", false, {{"t", 1}}});
        ClientOptions publisher{"p", "p", true, {}, "t", 1};
        publisher.messages = 10;
        Client& writer = world.add(publisher);
        world.connect(writer);
        for (int i = 0; i < 300; ++i) {  // `mute` does not read
            (void)world.log().step();
            world.turns(1);
            (void)writer.step();
        }
        CHECK(writer.acknowledged.size() == 10);
        CHECK(world.broker().total(&broker::ShardStats::queued_messages) == 10);
        CHECK(world.broker().shared().stats[0]->publishes_out[1].get() == 3);
        REQUIRE(world.settle());
        CHECK(mute.deliveries.size() == 10);
    }

    TEST_CASE(
        "well above the memory mark new sessions get 3, and persistent ones keep what they "
        "have") {
        broker::Options options;
        options.limits.memory_bytes_max = 19'000;
        options.limits.inflight_max = 1;
        World world(13, 1, queues_in_memory(), options);
        world.reconnect = false;
        Client& keeper = connected(world, {"keeper", "k", false, {{"t", 1}}});
        keeper.lose_connection();
        REQUIRE(world.settle());
        ClientOptions publisher{"p", "p", true, {}, "t", 1};
        publisher.messages = 200;
        Client& writer = connected(world, publisher);
        CHECK(writer.finished());
        CHECK(connected(world, {"late", "l", true}).connack == 3);
        CHECK(connected(world, {"keeper", "k", false, {{"t", 1}}}).deliveries.size() == 200);
        CHECK(connected(world, {"late", "l", true}).connack == 0);
    }
}
