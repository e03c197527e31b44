#include "broker/mqtt/decode.hpp"

#include <doctest/doctest.h>

#include <iterator>

#include "tests/support/mqtt_text.hpp"
#include "tests/unit/mqtt/packet_table.hpp"

using namespace iotsky;
using namespace iotsky::mqtt;
using iotsky::test::describe;
using iotsky::test::from_hex;

namespace {

struct BadPacket {
    std::string_view hex;
    DecodeError error;
    Direction direction = Direction::from_client;
};

using enum DecodeError;
constexpr Direction kServer = Direction::from_server;

void check_bad(const BadPacket& row) {
    CAPTURE(row.hex);
    const auto packet = from_hex(row.hex);
    const auto decoded = decode(test::frame_of(packet), row.direction);
    REQUIRE_FALSE(decoded);
    CHECK(text(decoded.error()) == text(row.error));
}

}  // namespace

TEST_SUITE("mqtt.decode") {
    TEST_CASE("every packet type decodes to what its bytes say") {
        for (const test::GoodPacket& row : test::kGoodPackets) {
            CAPTURE(row.hex);
            const auto packet = from_hex(row.hex);
            const auto decoded =
                decode(test::frame_of(packet), row.from_server ? kServer : Direction::from_client);
            REQUIRE(decoded);
            CHECK(describe(*decoded) == row.text);
        }
    }

    TEST_CASE("every good packet encodes to the bytes it was read from") {
        for (const test::GoodPacket& row : test::kGoodPackets) {
            CAPTURE(row.hex);
            const auto packet = from_hex(row.hex);
            const auto decoded =
                decode(test::frame_of(packet), row.from_server ? kServer : Direction::from_client);
            REQUIRE(decoded);
            CHECK(test::hex(test::reencode(*decoded)) == test::hex(packet));
        }
    }

    TEST_CASE("a packet cut short or with a byte too many is refused, payloads aside") {
        for (const test::GoodPacket& row : test::kGoodPackets) {
            CAPTURE(row.hex);
            const auto packet = from_hex(row.hex);
            const auto direction = row.from_server ? kServer : Direction::from_client;
            Frame frame = test::frame_of(packet);
            if (!frame.body.empty() && frame.type() != PacketType::publish &&
                frame.type() != PacketType::suback) {
                Frame cut = frame;
                cut.body = frame.body.first(frame.body.size() - 1);
                CHECK_FALSE(decode(cut, direction));
            }
            if (frame.type() != PacketType::publish && frame.type() != PacketType::suback) {
                auto longer = packet;
                longer.push_back(std::byte{0});
                frame.body = Bytes(longer).subspan(2);
                CHECK_FALSE(decode(frame, direction));
            }
        }
    }

    TEST_CASE("[MQTT-2.2.2-1] [MQTT-2.2.2-2] any other flags than the reserved ones are a fault") {
        for (const test::GoodPacket& row : test::kGoodPackets) {
            const auto packet = from_hex(row.hex);
            Frame frame = test::frame_of(packet);
            const bool level_31 = row.text.starts_with("CONNECT level=3");
            if (frame.type() == PacketType::publish || level_31) {
                continue;  // its flags mean something: see below; or nothing at all
            }
            const unsigned right = frame.flags();
            for (unsigned flags = 0; flags < 16; ++flags) {
                CAPTURE(row.hex);
                CAPTURE(flags);
                frame.first_byte = static_cast<std::uint8_t>((frame.first_byte & 0xF0U) | flags);
                CHECK(
                    decode(frame, row.from_server ? kServer : Direction::from_client).has_value() ==
                    (flags == right));
            }
        }
    }

    TEST_CASE("[MQTT-3.1.2-2] to MQTT 3.1 the flags of a packet are not used, but those of PUBLISH") {
        for (const test::GoodPacket& row : test::kGoodPackets) {
            const auto packet = from_hex(row.hex);
            Frame frame = test::frame_of(packet);
            const auto direction = row.from_server ? kServer : Direction::from_client;
            const bool level_311 = row.text.starts_with("CONNECT level=4");
            if (frame.type() == PacketType::publish || level_311) {
                continue;
            }
            for (unsigned flags = 0; flags < 16; ++flags) {
                CAPTURE(row.hex);
                frame.first_byte = static_cast<std::uint8_t>((frame.first_byte & 0xF0U) | flags);
                CHECK(decode(frame, direction, kLevel31).has_value());
            }
        }
        const auto qos_3 = from_hex("36 05 0001 61 0001");
        CHECK_FALSE(decode(test::frame_of(qos_3), Direction::from_client, kLevel31).has_value());
        const auto reserved_bit = from_hex("10 0F 0006 4D5149736470 03 03 FFFF 0001 61");
        CHECK(decode(test::frame_of(reserved_bit), Direction::from_client).has_value());
    }

    TEST_CASE("flag faults name the statement of their packet") {
        const BadPacket rows[] = {
            {"11 00", reserved_flags},
            {"42 02 0001", reserved_flags},              // PUBACK
            {"58 02 0001", reserved_flags},              // PUBREC
            {"60 02 0001", pubrel_flags},                // [MQTT-3.6.1-1]
            {"6A 02 0001", pubrel_flags},                // a DUP of MQTT 3.1
            {"71 02 0001", reserved_flags},              // PUBCOMP
            {"80 06 0001 0001 61 00", subscribe_flags},  // [MQTT-3.8.1-1]
            {"A0 05 0001 0001 61", unsubscribe_flags},   // [MQTT-3.10.1-1]
            {"C1 00", reserved_flags},                   // PINGREQ
            {"E1 00", disconnect_flags},                 // [MQTT-3.14.1-1]
            {"22 02 0000", reserved_flags, kServer},     // CONNACK
            {"9F 03 0001 00", reserved_flags, kServer},  // SUBACK
        };
        for (const BadPacket& row : rows) {
            check_bad(row);
        }
    }

    TEST_CASE("reserved types, and types of the other side, are refused") {
        const BadPacket rows[] = {
            {"00 00", reserved_packet_type},
            {"F0 00", reserved_packet_type},
            {"F0 00", reserved_packet_type, kServer},
            {"20 02 0000", wrong_direction},
            {"90 03 0001 00", wrong_direction},
            {"B0 02 0001", wrong_direction},
            {"D0 00", wrong_direction},
            {"10 0C 0004 4D515454 04 02 0000 0000", wrong_direction, kServer},
            {"82 06 0001 0001 61 00", wrong_direction, kServer},
            {"A2 05 0001 0001 61", wrong_direction, kServer},
            {"C0 00", wrong_direction, kServer},
            {"E0 00", wrong_direction, kServer},
        };
        for (const BadPacket& row : rows) {
            check_bad(row);
        }
    }

    TEST_CASE("PUBLISH: flags, topic and identifier are checked") {
        const BadPacket rows[] = {
            {"38 03 0001 61", publish_dup_at_qos_0},        // [MQTT-3.3.1-2]
            {"39 03 0001 61", publish_dup_at_qos_0},        //
            {"36 05 0001 61 0001", publish_qos_3},          // [MQTT-3.3.1-4]
            {"3F 05 0001 61 0001", publish_qos_3},          //
            {"30 00", packet_too_short},                    //
            {"30 01 00", packet_too_short},                 //
            {"30 02 0001", packet_too_short},               //
            {"30 04 0003 6161", packet_too_short},          //
            {"32 03 0001 61", packet_too_short},            // no identifier
            {"32 04 0001 61 00", packet_too_short},         //
            {"32 05 0001 61 0000", packet_id_zero},         // [MQTT-2.3.1-1]
            {"34 05 0001 61 0000", packet_id_zero},         //
            {"30 02 0000", topic_empty},                    // [MQTT-4.7.3-1]
            {"30 03 0001 2B", publish_topic_wildcard},      // [MQTT-3.3.2-2] [MQTT-4.7.1-1]
            {"30 03 0001 23", publish_topic_wildcard},      //
            {"30 05 0003 612F2B", publish_topic_wildcard},  //
            {"30 04 0002 6123", publish_topic_wildcard},    //
            {"30 03 0001 80", text_ill_formed},             // [MQTT-3.3.2-1] [MQTT-1.5.3-1]
            {"30 05 0003 EDA080", text_ill_formed},         // a surrogate
            {"30 04 0002 C080", text_ill_formed},           // overlong NUL
            {"30 05 0003 610062", text_nul},                // [MQTT-1.5.3-2] [MQTT-4.7.3-2]
        };
        for (const BadPacket& row : rows) {
            check_bad(row);
        }
    }

    TEST_CASE("[MQTT-2.3.1-5] a PUBLISH of QoS 0 has no identifier: two bytes more are payload") {
        const auto packet = from_hex("30 05 0001 61 000A");
        const auto decoded = decode_publish(test::frame_of(packet));
        REQUIRE(decoded);
        CHECK(decoded->packet_id == 0);
        CHECK(decoded->payload.size() == 2);
    }

    TEST_CASE("decode_publish says the same as decode") {
        for (unsigned flags = 0; flags < 16; ++flags) {
            CAPTURE(flags);
            auto packet = from_hex("30 07 0001 61 0001 6869");
            packet[0] |= static_cast<std::byte>(flags);
            const Frame frame = test::frame_of(packet);
            const auto fast = decode_publish(frame);
            const auto slow = decode(frame, Direction::from_client);
            REQUIRE(fast.has_value() == slow.has_value());
            if (fast) {
                CHECK(describe(PacketView(*fast)) == describe(*slow));
            } else {
                CHECK(fast.error() == slow.error());
            }
        }
    }

    TEST_CASE("acknowledgements are two bytes, an identifier that is not 0") {
        for (const std::string_view type : {"40", "50", "62", "70"}) {
            const std::string head(type);
            check_bad({head + " 00", packet_too_short});
            check_bad({head + " 01 00", packet_too_short});
            check_bad({head + " 03 0001 00", trailing_bytes});
            check_bad({head + " 02 0000", packet_id_zero});
            check_bad({head + " 02 0000", packet_id_zero, kServer});
        }
    }

    TEST_CASE("SUBSCRIBE: entries are checked one by one") {
        const BadPacket rows[] = {
            {"82 00", packet_too_short},
            {"82 01 00", packet_too_short},
            {"82 02 0001", subscribe_empty},                         // [MQTT-3.8.3-3]
            {"82 06 0000 0001 61 00", packet_id_zero},               // [MQTT-2.3.1-1]
            {"82 03 0001 00", packet_too_short},                     //
            {"82 05 0001 0001 61", packet_too_short},                // no QoS byte
            {"82 05 0001 0000 00", topic_empty},                     // [MQTT-4.7.3-1]
            {"82 06 0001 0001 61 03", subscribe_qos_3},              // [MQTT-3.8.3-4]
            {"82 06 0001 0001 61 04", subscribe_reserved},           // MQTT 5: no local
            {"82 06 0001 0001 61 80", subscribe_reserved},           //
            {"82 06 0001 0001 61 FF", subscribe_reserved},           //
            {"82 07 0001 0002 6123 00", filter_hash},                // [MQTT-4.7.1-2] a#
            {"82 08 0001 0003 232F61 00", filter_hash},              // #/a
            {"82 07 0001 0002 612B 00", filter_plus},                // [MQTT-4.7.1-3] a+
            {"82 06 0001 0001 FF 00", text_ill_formed},              // [MQTT-3.8.3-1]
            {"82 06 0001 0001 00 00", text_nul},                     //
            {"82 0A 0001 0001 61 00 0001 62 03", subscribe_qos_3},   // the second entry
            {"82 0A 0001 0001 61 00 0002 62 01", packet_too_short},  //
            {"82 09 0001 0001 61 00 0001 62", packet_too_short},     //
            {"82 09 0001 0001 61 00 0000 00", topic_empty},          //
            {"82 07 0001 0001 61 00 00", packet_too_short},          // one byte left over
        };
        for (const BadPacket& row : rows) {
            check_bad(row);
        }
    }

    TEST_CASE("UNSUBSCRIBE: entries are checked one by one") {
        const BadPacket rows[] = {
            {"A2 01 00", packet_too_short},
            {"A2 02 0001", unsubscribe_empty},            // [MQTT-3.10.3-2]
            {"A2 05 0000 0001 61", packet_id_zero},       // [MQTT-2.3.1-1]
            {"A2 04 0001 0000", topic_empty},             // [MQTT-4.7.3-1]
            {"A2 06 0001 0002 2B2B", filter_plus},        //
            {"A2 06 0001 0002 2323", filter_hash},        //
            {"A2 05 0001 0001 C3", text_ill_formed},      // [MQTT-3.10.3-1]
            {"A2 05 0001 0001 00", text_nul},             //
            {"A2 06 0001 0001 61 00", packet_too_short},  //
            {"A2 06 0001 0003 6161", packet_too_short},   //
        };
        for (const BadPacket& row : rows) {
            check_bad(row);
        }
    }

    TEST_CASE("PINGREQ, PINGRESP and DISCONNECT are empty") {
        check_bad({"C0 01 00", trailing_bytes});
        check_bad({"D0 01 00", trailing_bytes, kServer});
        check_bad({"E0 01 00", trailing_bytes});
    }

    TEST_CASE("a server's packets are checked as strictly") {
        const BadPacket rows[] = {
            {"20 01 00", packet_too_short, kServer},
            {"20 03 000000", trailing_bytes, kServer},
            {"20 02 0200", connack_reserved_flag, kServer},
            {"20 02 0006", connack_code, kServer},
            {"20 02 0105", connack_session_present, kServer},  // [MQTT-3.2.2-4]
            {"90 02 0001", suback_empty, kServer},
            {"90 03 0000 00", packet_id_zero, kServer},
            {"90 03 0001 03", suback_code, kServer},  // [MQTT-3.9.3-2]
            {"90 04 0001 0081", suback_code, kServer},
            {"90 01 00", packet_too_short, kServer},
            {"B0 02 0000", packet_id_zero, kServer},
            {"B0 03 0001 00", trailing_bytes, kServer},
        };
        for (const BadPacket& row : rows) {
            check_bad(row);
        }
    }

    TEST_CASE("a list of filters can be walked more than once and knows its size") {
        const auto packet = from_hex("82 0E 000A 0001 23 02 0005 612F2B2F62 01");
        const auto decoded = decode(test::frame_of(packet), Direction::from_client);
        REQUIRE(decoded);
        const auto& requests = std::get<SubscribeView>(*decoded).requests;
        CHECK(requests.size() == 2);
        for (int walk = 0; walk < 2; ++walk) {
            CHECK(std::distance(requests.begin(), requests.end()) == 2);
        }
        CHECK(*requests.begin() == SubscribeRequest{"#", Qos::exactly_once});
        CHECK(*std::next(requests.begin()) == SubscribeRequest{"a/+/b", Qos::at_least_once});
    }

    TEST_CASE("views lie in the frame: nothing was copied") {
        const auto packet = from_hex("32 08 0003 612F62 000A 68");
        const auto decoded = decode_publish(test::frame_of(packet));
        REQUIRE(decoded);
        CHECK(as_bytes(decoded->topic).data() == packet.data() + 4);
        CHECK(decoded->payload.data() == packet.data() + 9);
    }

    TEST_CASE("topics and filters of 65,535 bytes are served") {
        std::vector<std::byte> body(2 + 65'535, std::byte{'/'});
        body[0] = body[1] = std::byte{0xFF};
        CHECK(decode_publish({0x30, body, 0})->topic.size() == 65'535);
        std::vector<std::byte> unsubscribe = body;
        unsubscribe.insert(unsubscribe.begin(), {std::byte{0}, std::byte{1}});
        CHECK(decode({0xA2, unsubscribe, 0}, Direction::from_client).has_value());
    }
}
