// Rights on live connections, queued messages and wills (`dataplane.md` 4): what is refused is told
// and never leaks.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;

namespace {

constexpr const char* kOnlyOwn =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"},)"
    R"({"Effect":"Allow","Action":["iot:Publish","iot:Subscribe","iot:Receive"],)"
    R"("Resource":["arn:aws:iot:::topic/own/*","arn:aws:iot:::topicfilter/own/*"]}]})";

bool got(const Client& client, const std::string& payload) {
    return std::any_of(client.deliveries.begin(), client.deliveries.end(),
                       [&](const auto& d) { return d.payload == payload; });
}

}  // namespace

TEST_SUITE("simulation.rights") {
    TEST_CASE(
        "a change of rights reaches every thread, and nothing is delivered by old rights after it "
        "is effective") {
        for (std::uint64_t seed = 1; seed <= 100; ++seed) {
            CAPTURE(seed);
            World world(seed, 3);
            Client& subscriber = world.add({"sub", "reader", false, {{"#", 1}}});
            REQUIRE(world.settle());
            ClientOptions options{"pub", "writer", true, {}, "secret/x", 1};
            options.messages = 30;
            world.add(options);
            world.run(100, {});
            world.directory().set_policy("reader", kOnlyOwn);
            bool effective = false;
            std::size_t seen = 0;
            world.broker().change_rights({"reader"}, [&] { effective = true; });
            while (!effective) {
                world.run(1, {});
            }
            // What lies on the wire already was delivered before.
            (void)subscriber.step();
            seen = subscriber.deliveries.size();
            REQUIRE(world.settle());
            CHECK(subscriber.deliveries.size() == seen);
            CHECK(subscriber.connected());
        }
    }

    TEST_CASE("a masked subscription delivers again when the right comes back") {
        World world(11, 2);
        Client& subscriber = world.add({"sub", "reader", false, {{"a/b", 1}}});
        REQUIRE(world.settle());
        Client& publisher = world.add({"pub", "writer", true});
        REQUIRE(world.settle());
        world.directory().set_policy("reader", kOnlyOwn);
        world.broker().change_rights({"reader"}, [] {});
        REQUIRE(world.settle());
        publisher.publish("a/b", "while masked", 1, false);
        REQUIRE(world.settle());
        world.directory().set_policy("reader", kAllowAll);
        world.broker().change_rights({"reader"}, [] {});
        REQUIRE(world.settle());
        publisher.publish("a/b", "again", 1, false);
        REQUIRE(world.settle());
        CHECK_FALSE(got(subscriber, "while masked"));
        CHECK(got(subscriber, "again"));
    }

    TEST_CASE("messages queued for an absent client are evaluated when they are sent") {
        World world(12, 2);
        world.reconnect = false;
        Client& subscriber = world.add({"sub", "reader", false, {{"#", 1}}});
        world.connect(subscriber);
        REQUIRE(world.settle());
        subscriber.lose_connection();
        REQUIRE(world.settle());
        Client& publisher = world.add({"pub", "writer", true});
        world.connect(publisher);
        REQUIRE(world.settle());
        publisher.publish("secret/x", "hidden", 1, false);
        publisher.publish("own/x", "open", 1, false);
        REQUIRE(world.settle());
        world.directory().set_policy("reader", kOnlyOwn);
        world.broker().change_rights({"reader"}, [] {});
        REQUIRE(world.settle());
        world.connect(subscriber);
        REQUIRE(world.settle());
        CHECK_FALSE(got(subscriber, "hidden"));
        CHECK(got(subscriber, "open"));
        CHECK(world.log().tables().queue_rows() == 0);
    }

    TEST_CASE("revocation closes the connection without its Will and seals the session") {
        World world(13, 3);
        world.reconnect = false;
        Client& watcher = world.add({"watcher", "w", true, {{"will", 1}}});
        world.connect(watcher);
        ClientOptions options{"thief", "t", false, {{"loot", 1}}};
        options.will_topic = "will";
        Client& thief = world.add(options);
        world.connect(thief);
        REQUIRE(world.settle());
        world.directory().revoke("t");
        bool effective = false;
        world.broker().change_rights({"t"}, [&] { effective = true; });
        REQUIRE(world.settle());
        CHECK(effective);
        CHECK_FALSE(thief.connected());
        CHECK(watcher.deliveries.empty());
        CHECK(world.broker().total(&broker::ShardStats::sessions) == 1);
        CHECK(world.log().tables().sessions() == 0);
        world.connect(thief);
        REQUIRE(world.settle());
        CHECK(thief.connack == 5);
    }

    TEST_CASE(
        "[MQTT-3.3.5-2] a denied SUBSCRIBE gets 0x80 for that filter alone, a denied PUBLISH is "
        "acknowledged, both are told") {
        World world(14, 2);
        world.directory().set_thing("th_otter", {"7b", "otter", "weather", false});
        Client& otter = world.add(
            {"board", "th_otter", true, {{"$me/notice", 0}, {"7b/heron/#", 1}, {"$me/#", 1}}});
        REQUIRE(world.settle());
        CHECK(otter.suback_codes == std::vector<std::uint8_t>{0, 0x80, 1});
        otter.publish("7b/heron/door", "hello", 1, false);
        world.advance(std::chrono::seconds{3});
        REQUIRE(world.settle());
        CHECK(otter.connected());
        CHECK(otter.acknowledged.size() == 1);
        world.advance(std::chrono::seconds{3});
        REQUIRE(world.settle());
        REQUIRE(world.refusals.size() == 2);
        CHECK(world.refusals[0].what == "subscribe");
        CHECK(world.refusals[1].number == "E3101");
        CHECK(std::any_of(otter.deliveries.begin(), otter.deliveries.end(), [](const auto& d) {
            return d.topic == "$me/notice" && d.payload.find("E3101") != std::string::npos;
        }));
        CHECK_FALSE(got(otter, "hello"));
    }

    TEST_CASE(
        "$me is the own tree for publishing and subscribing, and comes back under the name it was "
        "asked for") {
        World world(15, 2);
        world.directory().set_thing("th_otter", {"7b", "otter", "weather", false});
        Client& a = world.add({"a", "th_otter", true, {{"$me/temp", 1}}});
        Client& b = world.add({"b", "th_otter", true, {{"7b/otter/weather/temp", 1}}});
        REQUIRE(world.settle());
        a.publish("$me/temp", "21", 1, false);
        REQUIRE(world.settle());
        REQUIRE(a.deliveries.size() == 1);
        REQUIRE(b.deliveries.size() == 1);
        CHECK(a.deliveries[0].topic == "$me/temp");
        CHECK(b.deliveries[0].topic == "7b/otter/weather/temp");
    }
}
