#include "broker/mqtt/encode_client.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/mqtt_text.hpp"

using namespace iotsky;
using namespace iotsky::mqtt;
using iotsky::test::describe;

namespace {

const std::string kTooLong(65'536, 'x');

std::string decoded(const std::vector<std::byte>& packet) {
    const auto view = decode(test::frame_of(packet), Direction::from_client);
    REQUIRE(view);
    return describe(*view);
}

}  // namespace

TEST_SUITE("mqtt.encode_client") {
    TEST_CASE("[MQTT-3.1.3-1] CONNECT carries every field in its order") {
        std::vector<std::byte> out;
        ConnectView connect;
        connect.clean_session = false;
        connect.keep_alive_s = 30;
        connect.client_id = "id";
        connect.will = WillView{"w/t", as_bytes("bye"), Qos::at_least_once, true};
        connect.user_name = "user";
        connect.password = as_bytes("\x01\x02");
        REQUIRE(append_connect(out, connect));
        CHECK(decoded(out) ==
              "CONNECT level=4 clean=0 keep_alive=30 id=id will=w/t message=627965 will_qos=1 "
              "will_retain=1 user=user password=0102");
    }

    TEST_CASE("packets are appended behind each other") {
        std::vector<std::byte> out;
        append_pingreq(out);
        REQUIRE(append_publish(out, {false, Qos::at_most_once, false, "a", 0, as_bytes("x")}));
        const SubscribeRequest requests[] = {{"a/+", Qos::exactly_once}, {"#", Qos::at_most_once}};
        REQUIRE(append_subscribe(out, 3, requests));
        const std::string_view filters[] = {"a/+", "#"};
        REQUIRE(append_unsubscribe(out, 4, filters));
        append_ack(out, PacketType::pubrel, 5);
        append_disconnect(out);

        std::string lines;
        Bytes in(out);
        Framer framer(1000);
        while (!in.empty()) {
            lines += describe(*decode(framer.next(in).frame, Direction::from_client)) + "\n";
        }
        CHECK(lines ==
              "PINGREQ\n"
              "PUBLISH dup=0 qos=0 retain=0 topic=a id=0 payload=78\n"
              "SUBSCRIBE id=3 count=2 filter=a/+ qos=2 filter=# qos=0\n"
              "UNSUBSCRIBE id=4 count=2 filter=a/+ filter=#\n"
              "PUBREL id=5\n"
              "DISCONNECT\n");
    }

    TEST_CASE("a field longer than 65,535 bytes is refused and nothing is appended") {
        std::vector<std::byte> out;
        ConnectView connect;
        connect.client_id = kTooLong;
        CHECK(append_connect(out, connect).error().number == "E3540");
        connect.client_id = "a";
        connect.password = as_bytes(kTooLong);
        connect.user_name = "u";
        CHECK_FALSE(append_connect(out, connect));
        connect.password.reset();
        connect.will = WillView{"t", as_bytes(kTooLong), Qos::at_most_once, false};
        CHECK_FALSE(append_connect(out, connect));
        CHECK_FALSE(append_publish(out, {false, Qos::at_most_once, false, kTooLong, 0, {}}));
        const SubscribeRequest requests[] = {{"a", Qos::at_most_once}, {kTooLong, {}}};
        CHECK_FALSE(append_subscribe(out, 1, requests));
        const std::string_view filters[] = {"a", kTooLong};
        CHECK_FALSE(append_unsubscribe(out, 1, filters));
        CHECK(out.empty());
    }

    TEST_CASE("the longest fields are carried") {
        std::vector<std::byte> out;
        const std::string_view longest = std::string_view(kTooLong).substr(1);
        ConnectView connect;
        connect.client_id = longest;
        REQUIRE(append_connect(out, connect));
        CHECK(decoded(out).ends_with(longest));
    }
}
