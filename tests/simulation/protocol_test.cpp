// The connection's state machine: order of packets, deadlines, limits.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;

namespace {

std::vector<std::byte> hex(std::string_view text) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        out.push_back(
            static_cast<std::byte>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16)));
    }
    return out;
}

/// A client without a mind of its own: what it sends in one piece, and what it was sent.
struct Peer {
    explicit Peer(World& world) : wire(world.open_raw()) {}
    void send(std::string_view packets) {
        const auto bytes = hex(packets);
        wire->to_broker.insert(wire->to_broker.end(), bytes.begin(), bytes.end());
    }
    [[nodiscard]] std::vector<std::byte> take() {
        const auto bytes = std::exchange(wire->to_client, {});
        return {bytes.begin(), bytes.end()};
    }

    std::shared_ptr<Wire> wire;
};

const std::string kConnect = "101000044d51545404800000000161000175";  // persistent, user "u"
const std::string kDisconnect = "e000";

}  // namespace

TEST_SUITE("simulation.protocol") {
    TEST_CASE("[MQTT-3.1.0-2] a second CONNECT closes the connection") {
        World world(1, 1);
        world.reconnect = false;
        Client& client = world.add({"a", "u", true});
        world.connect(client);
        REQUIRE(world.settle());
        REQUIRE(client.connected());
        client.send_raw(hex("100d00044d5154540402000000016100"));
        REQUIRE(world.settle());
        CHECK_FALSE(client.connected());
        CHECK(world.broker().total(&broker::ShardStats::protocol_errors) == 1);
    }

    TEST_CASE("[MQTT-3.1.2-24] Keep Alive: closed after one and a half times, not before") {
        World world(2, 1);
        world.reconnect = false;
        ClientOptions options{"a", "u", true};
        options.keep_alive_s = 10;
        Client& client = world.add(options);
        world.connect(client);
        REQUIRE(world.settle());
        world.advance(std::chrono::milliseconds{14'800});
        REQUIRE(world.settle());
        CHECK(client.connected());
        world.advance(std::chrono::milliseconds{400});
        REQUIRE(world.settle());
        CHECK_FALSE(client.connected());
        CHECK(world.broker().total(&broker::ShardStats::keep_alive_timeouts) == 1);
    }

    TEST_CASE("threads with idle connections sleep, and a gated answer wakes them by its batch") {
        World world(9, 3);
        Client& client = world.add({"a", "u", false, {{"t", 1}}});
        REQUIRE(world.settle());
        for (unsigned thread = 0; thread < 3; ++thread) {
            CHECK(world.would_sleep(thread));
        }
        client.publish("t", "m", 1, true);
        REQUIRE(world.settle());
        CHECK(client.acknowledged.size() == 1);
        for (unsigned thread = 0; thread < 3; ++thread) {
            CHECK(world.would_sleep(thread));
        }
    }

    TEST_CASE("what was owed before DISCONNECT leaves when it is durable, then it closes") {
        World world(10, 1);
        Peer peer(world);
        peer.send(kConnect + "3306000174000178" + kDisconnect);
        world.turns(60);  // and no step of the disk
        CHECK(peer.wire->to_broker.empty());
        CHECK(peer.take().empty());
        CHECK_FALSE(peer.wire->broker_closed);
        REQUIRE(world.settle_without_timer());
        CHECK(peer.take() == hex("2002000040020001"));
        CHECK(peer.wire->broker_closed);
    }

    TEST_CASE("what the disk does not take in time is not waited for behind DISCONNECT") {
        World world(11, 1);
        Peer peer(world);
        peer.send(kConnect + kDisconnect);
        world.turns(60);
        world.advance(std::chrono::milliseconds{4'800});
        world.turns();
        CHECK_FALSE(peer.wire->broker_closed);
        world.advance(std::chrono::milliseconds{400});
        world.turns();
        CHECK(peer.wire->broker_closed);
        CHECK(peer.take().empty());
    }

    TEST_CASE("a message for a client that has said DISCONNECT waits until it is back") {
        World world(12, 1);
        Peer peer(world);
        peer.send(kConnect + "8206000100017402");
        REQUIRE(world.settle());
        CHECK(peer.take() == hex("200200009003000102"));
        peer.send("3506000174000178" + kDisconnect);  // to itself at QoS 2
        world.turns(60);
        REQUIRE(world.settle());
        CHECK(peer.take() == hex("50020001"));
        CHECK(peer.wire->broker_closed);
        CHECK(world.log().tables().queue_rows() == 1);
    }

    TEST_CASE("[MQTT-3.12.4-1] PINGREQ is answered although the disk takes nothing") {
        World world(13, 1);
        Peer peer(world);
        peer.send(kConnect + "c000");
        world.turns(60);
        CHECK(peer.take().empty());  // CONNACK is the first packet [MQTT-3.2.0-1]
        REQUIRE(world.settle());
        CHECK(peer.take() == hex("20020000d000"));
        peer.send("3306000174000178c000");
        world.turns(60);
        CHECK(peer.take() == hex("d000"));
        REQUIRE(world.settle());
        CHECK(peer.take() == hex("40020001"));
    }

    TEST_CASE("[MQTT-3.12.4-1] PINGREQ is answered and keeps the connection") {
        World world(3, 1);
        world.reconnect = false;
        ClientOptions options{"a", "u", true};
        options.keep_alive_s = 10;
        Client& client = world.add(options);
        world.connect(client);
        REQUIRE(world.settle());
        for (int i = 0; i < 5; ++i) {
            world.advance(std::chrono::milliseconds{9'000});
            client.send_raw(hex("c000"));
            REQUIRE(world.settle());
        }
        CHECK(client.connected());
    }

    TEST_CASE("a session that nobody comes back to expires, and its rows with it") {
        broker::Options options;
        options.limits.session_expiry = std::chrono::seconds{100};
        World world(4, 2, LogFault::none, options);
        world.reconnect = false;
        Client& client = world.add({"a", "u", false, {{"t", 1}}});
        world.connect(client);
        REQUIRE(world.settle());
        client.lose_connection();
        REQUIRE(world.settle());
        CHECK(world.log().tables().sessions() == 1);
        world.advance(std::chrono::seconds{101});
        REQUIRE(world.settle());
        CHECK(world.log().tables().sessions() == 0);
        CHECK(world.broker().total(&broker::ShardStats::subscriptions) == 0);
    }

    TEST_CASE(
        "[MQTT-4.1.0-2] a session whose client came and left again counts from the last time") {
        broker::Options options;
        options.limits.session_expiry = std::chrono::seconds{100};
        World world(4, 2, LogFault::none, options);
        world.reconnect = false;
        Client& client = world.add({"a", "u", false, {{"t", 1}}});
        for (int i = 0; i < 5; ++i) {
            world.connect(client);
            REQUIRE(world.settle());
            client.lose_connection();
            REQUIRE(world.settle());
            CHECK(world.log().tables().sessions() == 1);
            world.advance(std::chrono::seconds{60});
            REQUIRE(world.settle());
        }
        CHECK(world.log().tables().sessions() == 1);
        world.advance(std::chrono::seconds{41});
        REQUIRE(world.settle());
        CHECK(world.log().tables().sessions() == 0);
    }

    TEST_CASE("the time that a client is away counts on over restarts") {
        for (const bool connected : {false, true}) {
            CAPTURE(connected);
            broker::Options options;
            options.limits.session_expiry = std::chrono::seconds{100};
            World world(4, 2, LogFault::none, options);
            world.reconnect = false;
            Client& client = world.add({"a", "u", false, {{"t", 1}}});
            world.connect(client);
            REQUIRE(world.settle());
            if (!connected) {
                client.lose_connection();
            }
            REQUIRE(world.settle());
            for (std::size_t restart = 0; restart < 2; ++restart) {
                CHECK(world.log().tables().sessions() == 1 + restart);
                world.advance(std::chrono::seconds{45});
                // Somebody else's leaving says how late it is.
                Client& other = world.add({"b" + std::to_string(restart), "v", false});
                world.connect(other);
                REQUIRE(world.settle());
                other.lose_connection();
                REQUIRE(world.settle());
                world.crash(true);
                REQUIRE(world.settle());
            }
            CHECK(world.log().tables().sessions() == 3);
            world.advance(std::chrono::seconds{15});
            REQUIRE(world.settle());
            // A client that was connected at a crash has all of its time from there.
            CHECK(world.log().tables().sessions() == (connected ? 3 : 2));
            world.advance(std::chrono::seconds{100});
            REQUIRE(world.settle());
            CHECK(world.log().tables().sessions() == 0);
        }
    }

    TEST_CASE("a broker without any client that is killed now and then forgets an hour at most") {
        broker::Options options;
        options.limits.session_expiry = std::chrono::hours{20};
        World world(4, 2, LogFault::none, options);
        world.reconnect = false;
        Client& client = world.add({"a", "u", false, {{"t", 1}}});
        world.connect(client);
        REQUIRE(world.settle());
        client.lose_connection();
        REQUIRE(world.settle());
        for (int hour = 0; hour < 22; ++hour) {
            world.advance(std::chrono::minutes{61});
            REQUIRE(world.settle());
            if (hour == 5 || hour == 11) {
                world.crash(true);
                REQUIRE(world.settle());
            }
        }
        CHECK(world.log().tables().sessions() == 0);
    }

    TEST_CASE("a client that came back is not away any more after a restart") {
        broker::Options options;
        options.limits.session_expiry = std::chrono::seconds{100};
        World world(4, 2, LogFault::none, options);
        world.reconnect = false;
        Client& client = world.add({"a", "u", false, {{"t", 1}}});
        world.connect(client);
        REQUIRE(world.settle());
        client.lose_connection();
        REQUIRE(world.settle());
        world.advance(std::chrono::seconds{90});
        world.connect(client);
        REQUIRE(world.settle());
        world.crash(true);
        REQUIRE(world.settle());
        world.advance(std::chrono::seconds{90});
        REQUIRE(world.settle());
        CHECK(world.log().tables().sessions() == 1);
    }

    TEST_CASE("a full queue drops the newest message, counts it and tells it") {
        broker::Options options;
        options.limits.queue_messages_max = 3;
        World world(5, 2, LogFault::none, options);
        world.reconnect = false;
        Client& sleeper = world.add({"sleeper", "s", false, {{"t", 1}}});
        world.connect(sleeper);
        REQUIRE(world.settle());
        sleeper.lose_connection();
        REQUIRE(world.settle());
        ClientOptions publishing{"pub", "p", true, {}, "t", 1};
        publishing.messages = 5;
        world.connect(world.add(publishing));
        REQUIRE(world.settle());
        CHECK(world.broker().total(&broker::ShardStats::dropped_quota) == 2);
        CHECK(world.log().tables().queue_rows() == 3);
        REQUIRE(!world.refusals.empty());
        CHECK(world.refusals[0].number == "E3403");
        world.connect(sleeper);
        REQUIRE(world.settle());
        CHECK(sleeper.deliveries.size() == 3);
        CHECK(sleeper.deliveries[0].payload == "pub:0");
    }

    TEST_CASE("drop_oldest keeps the newest messages instead") {
        broker::Options options;
        options.limits.queue_messages_max = 3;
        options.limits.queue_full = broker::QueueFull::drop_oldest;
        World world(6, 2, LogFault::none, options);
        world.reconnect = false;
        Client& sleeper = world.add({"sleeper", "s", false, {{"t", 1}}});
        world.connect(sleeper);
        REQUIRE(world.settle());
        sleeper.lose_connection();
        REQUIRE(world.settle());
        ClientOptions publishing{"pub", "p", true, {}, "t", 1};
        publishing.messages = 5;
        world.connect(world.add(publishing));
        REQUIRE(world.settle());
        world.connect(sleeper);
        REQUIRE(world.settle());
        REQUIRE(sleeper.deliveries.size() == 3);
        CHECK(sleeper.deliveries[0].payload == "pub:2");
    }

    TEST_CASE("large payloads travel by reference and arrive whole") {
        World world(7, 3);
        std::vector<Client*> subscribers;
        for (int i = 0; i < 4; ++i) {
            const std::string n = std::to_string(i);
            subscribers.push_back(&world.add(
                {"s" + n, "s" + n, i % 2 == 0, {{"big", static_cast<std::uint8_t>(i % 3)}}}));
        }
        REQUIRE(world.settle());
        Client& publisher = world.add({"pub", "p", true});
        REQUIRE(world.settle());
        std::string payload(50'000, 'x');
        payload.back() = 'y';
        publisher.publish("big", payload, 2, false);
        REQUIRE(world.settle());
        for (const Client* subscriber : subscribers) {
            REQUIRE(subscriber->deliveries.size() == 1);
            CHECK(subscriber->deliveries[0].payload == payload);
        }
    }

    TEST_CASE("[MQTT-3.3.5-1] overlapping subscriptions deliver once, at the highest QoS") {
        World world(8, 2);
        Client& subscriber = world.add({"s", "s", true, {{"a/#", 0}, {"a/+", 2}, {"a/b", 1}}});
        REQUIRE(world.settle());
        Client& publisher = world.add({"p", "p", true});
        REQUIRE(world.settle());
        publisher.publish("a/b", "m", 2, false);
        REQUIRE(world.settle());
        REQUIRE(subscriber.deliveries.size() == 1);
        CHECK(subscriber.deliveries[0].qos == 2);
    }
}
