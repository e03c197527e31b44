#include "broker/mqtt/decode_error.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace iotsky;
using namespace iotsky::mqtt;

TEST_SUITE("mqtt.decode_error") {
    TEST_CASE("every fault says what, why and how, under a number of its own") {
        std::set<std::string_view> numbers;
        std::set<std::string_view> texts;
        for (std::size_t i = 0; i < kDecodeErrors; ++i) {
            const auto error = static_cast<DecodeError>(i);
            CAPTURE(number(error));
            CHECK(number(error).starts_with("E35"));
            CHECK(number(error).size() == 5);
            CHECK(numbers.insert(number(error)).second);
            CHECK(texts.insert(text(error)).second);
            const Error shown = to_error(error);
            CHECK(shown.number == number(error));
            CHECK(shown.message == text(error));
            CHECK_FALSE(shown.why.empty());
            CHECK_FALSE(shown.how.empty());
            CHECK(shown.how == how(error));
        }
    }

    TEST_CASE("clauses are printed as the standard prints them") {
        CHECK(clause(DecodeError::subscribe_flags) == "MQTT-3.8.1-1");
        CHECK(number(DecodeError::subscribe_flags) == "E3507");
        CHECK(clause(DecodeError::remaining_length_too_long) == "MQTT 2.2.3");
        CHECK(clause(DecodeError::packet_too_large).empty());
    }

    TEST_CASE("[MQTT-3.1.2-2] [MQTT-3.1.4-1] only an unserved level is answered before closing") {
        for (std::size_t i = 0; i < kDecodeErrors; ++i) {
            const auto error = static_cast<DecodeError>(i);
            CHECK(refusal(error).has_value() == (error == DecodeError::protocol_level));
        }
    }

    TEST_CASE("the code tells limits and versions from mistakes") {
        CHECK(to_error(DecodeError::packet_too_large).code == Errc::limit_exceeded);
        CHECK(to_error(DecodeError::protocol_level).code == Errc::unsupported);
        CHECK(to_error(DecodeError::topic_empty).code == Errc::invalid_argument);
    }
}
