#include "broker/mqtt/encode.hpp"

#include <doctest/doctest.h>

#include <string>

#include "broker/mqtt/decode.hpp"
#include "tests/support/mqtt_text.hpp"

using namespace iotsky;
using namespace iotsky::mqtt;
using iotsky::test::from_hex;
using iotsky::test::hex;

namespace {

std::vector<std::byte> publish(PublishFlags flags, std::string_view topic, std::uint16_t id,
                               std::string_view payload) {
    std::vector<std::byte> out(publish_size(topic.size(), payload.size(), flags.qos));
    const PublishHead head = encode_publish_head(out, flags, topic, id, payload.size());
    REQUIRE(head.head_bytes + payload.size() == out.size());
    const Bytes tail = as_bytes(payload);
    std::copy(tail.begin(), tail.end(), out.begin() + static_cast<std::ptrdiff_t>(head.head_bytes));
    return out;
}

}  // namespace

TEST_SUITE("mqtt.encode") {
    TEST_CASE("acknowledgements are four bytes") {
        CHECK(hex(encode_ack(PacketType::puback, 1)) == "40020001");
        CHECK(hex(encode_ack(PacketType::pubrec, 0xABCD)) == "5002abcd");
        CHECK(hex(encode_ack(PacketType::pubcomp, 0xFFFF)) == "7002ffff");
        CHECK(hex(encode_unsuback(258)) == "b0020102");
    }

    TEST_CASE("[MQTT-3.6.1-1] PUBREL carries the flags 0010") {
        CHECK(hex(encode_ack(PacketType::pubrel, 1)) == "62020001");
    }

    TEST_CASE("[MQTT-3.2.2-4] a refusing CONNACK never says that a session is present") {
        CHECK(hex(encode_connack(false, ConnectCode::accepted)) == "20020000");
        CHECK(hex(encode_connack(true, ConnectCode::accepted)) == "20020100");
        CHECK(hex(encode_connack(true, ConnectCode::not_authorized)) == "20020005");
        CHECK(hex(encode_connack(false, ConnectCode::unacceptable_protocol_version)) == "20020001");
    }

    TEST_CASE("PINGRESP is two bytes") {
        CHECK(hex(encode_pingresp()) == "d000");
    }

    TEST_CASE("[MQTT-3.8.4-5] SUBACK has one code for each filter, of any number") {
        for (const std::size_t count : {1U, 125U, 126U, 16'381U, 16'382U}) {
            CAPTURE(count);
            std::vector<std::byte> codes(count, std::byte{1});
            codes.back() = kSubackFailure;
            std::vector<std::byte> out(suback_size(count));
            CHECK(encode_suback(out, 7, codes) == out.size());
            const auto decoded = decode(test::frame_of(out), Direction::from_server);
            REQUIRE(decoded);
            const auto& suback = std::get<SubackView>(*decoded);
            CHECK(suback.packet_id == 7);
            CHECK(std::equal(codes.begin(), codes.end(), suback.codes.begin(), suback.codes.end()));
        }
    }

    TEST_CASE("the Remaining Length has the bytes of table 2.4") {
        struct Row {
            std::uint32_t value;
            std::string_view hex;
        };
        const Row rows[] = {{0, "00"},
                            {127, "7f"},
                            {128, "8001"},
                            {321, "c102"},
                            {16'383, "ff7f"},
                            {16'384, "808001"},
                            {2'097'151, "ffff7f"},
                            {2'097'152, "80808001"},
                            {kRemainingLengthMax, "ffffff7f"}};
        for (const Row& row : rows) {
            CAPTURE(row.value);
            std::array<std::byte, 4> out{};
            const std::size_t bytes = encode_remaining_length(out, row.value);
            CHECK(hex(Bytes(out).first(bytes)) == row.hex);
            CHECK(remaining_length_size(row.value) == bytes);
        }
    }

    TEST_CASE("PUBLISH of each QoS") {
        CHECK(hex(publish({}, "a", 9, "hi")) ==
              "3005000161"
              "6869");
        CHECK(hex(publish({false, Qos::at_least_once, true}, "a/b", 10, "")) ==
              "330700"
              "03612f62000a");
        CHECK(hex(publish({true, Qos::exactly_once, false}, "a", 1, "x")) ==
              "3c0600016100"
              "0178");
    }

    TEST_CASE("[MQTT-2.3.1-5] PUBLISH of QoS 0 has no identifier to patch") {
        std::vector<std::byte> out(publish_size(1, 0, Qos::at_most_once));
        CHECK(encode_publish_head(out, {}, "a", 9, 0).packet_id_offset == 0);
    }

    TEST_CASE("[MQTT-3.3.1-1] an encoding is copied, patched and marked as delivered again") {
        for (const std::size_t payload_bytes : {0U, 100U, 130U, 20'000U}) {
            CAPTURE(payload_bytes);
            const std::string payload(payload_bytes, 'p');
            auto packet = publish({false, Qos::at_least_once, false}, "a/b", 1, payload);
            std::vector<std::byte> again(packet.size());
            const PublishHead head = encode_publish_head(again, {false, Qos::at_least_once, false},
                                                         "a/b", 1, payload_bytes);
            patch_packet_id(packet, head, 0xBEEF);
            set_dup(packet);
            const auto decoded = decode_publish(test::frame_of(packet));
            REQUIRE(decoded);
            CHECK(decoded->packet_id == 0xBEEF);
            CHECK(decoded->dup);
            CHECK(decoded->topic == "a/b");
            CHECK(as_text(decoded->payload) == payload);
        }
    }

    TEST_CASE("what MQTT cannot carry has no size") {
        CHECK(publish_size(1, kRemainingLengthMax - 3, Qos::at_most_once) ==
              5U + kRemainingLengthMax);
        CHECK(publish_size(1, kRemainingLengthMax - 2, Qos::at_most_once) == 0);
        CHECK(publish_size(1, kRemainingLengthMax - 5, Qos::at_least_once) != 0);
        CHECK(publish_size(1, kRemainingLengthMax - 4, Qos::at_least_once) == 0);
        CHECK(publish_size(65'535, 0, Qos::exactly_once) != 0);
        CHECK(publish_size(65'536, 0, Qos::exactly_once) == 0);
        CHECK(publish_size(1, ~std::size_t{0}, Qos::at_most_once) == 0);
    }
}
