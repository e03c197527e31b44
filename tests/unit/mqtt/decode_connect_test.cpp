#include <doctest/doctest.h>

#include "broker/mqtt/decode.hpp"
#include "tests/support/mqtt_text.hpp"

using namespace iotsky;
using namespace iotsky::mqtt;
using iotsky::test::from_hex;

namespace {

using enum DecodeError;

struct Row {
    std::string_view body;
    DecodeError error;
};

Decoded<PacketView> decode_body(std::string_view hex) {
    static std::vector<std::byte> body;  // outlives the views
    body = from_hex(hex);
    return decode({0x10, body, body.size() + 2}, Direction::from_client);
}

void check_rows(std::span<const Row> rows) {
    for (const Row& row : rows) {
        CAPTURE(row.body);
        const auto decoded = decode_body(row.body);
        REQUIRE_FALSE(decoded);
        CHECK(text(decoded.error()) == text(row.error));
    }
}

}  // namespace

TEST_SUITE("mqtt.decode_connect") {
    TEST_CASE("[MQTT-3.1.2-1] another protocol name is refused without a CONNACK") {
        const Row rows[] = {
            {"0004 6D717474 04 02 0000 0000", protocol_name},  // mqtt
            {"0005 4D51545458 04 02 0000 0000", protocol_name},
            {"0006 4D5149736451 03 02 0000 0000", protocol_name},
            {"0003 4D5154 04 02 0000 0000", protocol_name},
            {"0000 04 02 0000 0000", protocol_name},
            {"0004 4D5154FF 05", protocol_name},
            {"0004 4D51", packet_too_short},
            {"00", packet_too_short},
            {"", packet_too_short},
        };
        check_rows(rows);
        CHECK_FALSE(refusal(protocol_name));
    }

    TEST_CASE("[MQTT-3.1.2-2] another level is told apart, whatever follows it") {
        const Row rows[] = {
            {"0004 4D515454 05 02 0000 00 0000", protocol_level},  // MQTT 5, with properties
            {"0004 4D515454 05", protocol_level},
            {"0004 4D515454 05 FF FFFF", protocol_level},
            {"0004 4D515454 03 02 0000 0000", protocol_level},
            {"0004 4D515454 00 02 0000 0000", protocol_level},
            {"0004 4D515454 84 02 0000 0000", protocol_level},  // a bridge's level
            {"0006 4D5149736470 04 02 0000 0000", protocol_level},
            {"0006 4D5149736470 02", protocol_level},
            {"0004 4D515454", packet_too_short},
        };
        check_rows(rows);
        CHECK(refusal(protocol_level) == ConnectCode::unacceptable_protocol_version);
    }

    TEST_CASE("each bad combination of Connect Flags has its statement") {
        const Row rows[] = {
            {"0004 4D515454 04 03 0000 0000", connect_reserved_flag},  // [MQTT-3.1.2-3]
            {"0004 4D515454 04 0A 0000 0001 61",
             will_qos_without_will},  // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
            {"0004 4D515454 04 12 0000 0001 61", will_qos_without_will},
            {"0004 4D515454 04 1A 0000 0001 61", will_qos_without_will},
            {"0004 4D515454 04 22 0000 0001 61", will_retain_without_will},  // [MQTT-3.1.2-15]
            {"0004 4D515454 04 1E 0000 0001 61 0001 77 0000", will_qos_3},   // [MQTT-3.1.2-14]
            {"0004 4D515454 04 42 0000 0001 61 0001 70", password_without_user_name},
        };
        check_rows(rows);
    }

    TEST_CASE("[MQTT-3.1.2-22] all 256 Connect Flags: accepted exactly when consistent") {
        for (unsigned bits = 0; bits < 256; ++bits) {
            CAPTURE(bits);
            const bool will = (bits & 4U) != 0;
            const unsigned will_qos = (bits >> 3U) & 3U;
            const bool consistent = (bits & 1U) == 0 && will_qos != 3 &&
                                    (will || ((bits & 0x20U) == 0 && will_qos == 0)) &&
                                    ((bits & 0x80U) != 0 || (bits & 0x40U) == 0);
            auto body = from_hex("0004 4D515454 04 00 0000 0001 61");
            body[7] = static_cast<std::byte>(bits);
            const auto append = [&body](std::string_view hex) {
                const auto more = from_hex(hex);
                body.insert(body.end(), more.begin(), more.end());
            };
            append(will ? "0001 77 0001 78" : "");
            append((bits & 0x80U) != 0 ? "0001 75" : "");
            append((bits & 0x40U) != 0 ? "0001 70" : "");
            const auto decoded = decode({0x10, body, 0}, Direction::from_client);
            CHECK(decoded.has_value() == consistent);
            if (decoded) {
                const auto& connect = std::get<ConnectView>(*decoded);
                CHECK(connect.clean_session == ((bits & 2U) != 0));
                CHECK(connect.will.has_value() == will);
                CHECK(connect.user_name.has_value() == ((bits & 0x80U) != 0));
                CHECK(connect.password.has_value() == ((bits & 0x40U) != 0));
            }
        }
    }

    TEST_CASE("the order of checks is name, level, reserved bit, will, password, payload") {
        // Every row has all the faults of the rows behind it.
        const Row rows[] = {
            {"0004 58515454 05 5B 0000 0001 00", protocol_name},
            {"0004 4D515454 05 5B 0000 0001 00", protocol_level},
            {"0004 4D515454 04 5B 0000 0001 00", connect_reserved_flag},
            {"0004 4D515454 04 5A 0000 0001 00", will_qos_without_will},
            {"0004 4D515454 04 42 0000 0001 00", password_without_user_name},
            {"0004 4D515454 04 02 0000 0001 00", text_nul},
        };
        check_rows(rows);
    }

    TEST_CASE("the payload holds what the flags announce, exactly") {
        const Row rows[] = {
            {"0004 4D515454 04 02 0000", packet_too_short},  // [MQTT-3.1.3-3] no Client Identifier
            {"0004 4D515454 04 02 00", packet_too_short},
            {"0004 4D515454 04 02 0000 00", packet_too_short},
            {"0004 4D515454 04 02 0000 0002 61", packet_too_short},
            {"0004 4D515454 04 02 0000 0001 61 00", trailing_bytes},
            {"0004 4D515454 04 02 0000 0001 61 0001 75", trailing_bytes},  // [MQTT-3.1.2-18]
            {"0004 4D515454 04 82 0000 0001 61 0001 75 0001 70",
             trailing_bytes},                                                // [MQTT-3.1.2-20]
            {"0004 4D515454 04 82 0000 0001 61", packet_too_short},          // [MQTT-3.1.2-19]
            {"0004 4D515454 04 C2 0000 0001 61 0001 75", packet_too_short},  // [MQTT-3.1.2-21]
            {"0004 4D515454 04 06 0000 0001 61", packet_too_short},          // [MQTT-3.1.2-9]
            {"0004 4D515454 04 06 0000 0001 61 0001 77", packet_too_short},
        };
        check_rows(rows);
    }

    TEST_CASE("[MQTT-3.1.3-4] [MQTT-3.1.3-10] [MQTT-3.1.3-11] texts are strict UTF-8") {
        const Row rows[] = {
            {"0004 4D515454 04 02 0000 0001 FF", text_ill_formed},
            {"0004 4D515454 04 02 0000 0003 EDBFBF", text_ill_formed},
            {"0004 4D515454 04 02 0000 0004 F4908080", text_ill_formed},
            {"0004 4D515454 04 02 0000 0001 00", text_nul},
            {"0004 4D515454 04 06 0000 0001 61 0001 C3 0000", text_ill_formed},
            {"0004 4D515454 04 06 0000 0001 61 0002 6100 0000", text_nul},
            {"0004 4D515454 04 82 0000 0001 61 0002 C0AF", text_ill_formed},
            {"0004 4D515454 04 82 0000 0001 61 0001 00", text_nul},
        };
        check_rows(rows);
    }

    TEST_CASE("[MQTT-4.7.1-1] [MQTT-4.7.3-1] a Will Topic is a Topic Name") {
        const Row rows[] = {
            {"0004 4D515454 04 06 0000 0001 61 0000 0000", topic_empty},
            {"0004 4D515454 04 06 0000 0001 61 0001 23 0000", will_topic_wildcard},
            {"0004 4D515454 04 06 0000 0001 61 0003 612F2B 0000", will_topic_wildcard},
        };
        check_rows(rows);
    }

    TEST_CASE("[MQTT-3.1.3-5] identifiers of any length and any characters decode") {
        std::vector<std::byte> body = from_hex("0004 4D515454 04 02 0000 FFFF");
        body.resize(body.size() + 65'535, std::byte{'#'});
        const auto decoded = decode({0x10, body, 0}, Direction::from_client);
        REQUIRE(decoded);
        CHECK(std::get<ConnectView>(*decoded).client_id.size() == 65'535);
    }

    TEST_CASE("[MQTT-3.1.3-6] [MQTT-3.1.3-8] an empty identifier decodes with either flag") {
        CHECK(decode_body("0004 4D515454 04 02 0000 0000"));
        CHECK(decode_body("0004 4D515454 04 00 0000 0000"));  // the broker answers 0x02
    }
}
