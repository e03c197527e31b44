#include "broker/mqtt/framer.hpp"

#include <doctest/doctest.h>

#include <string>

#include "base/random.hpp"
#include "tests/support/mqtt_text.hpp"
#include "tests/unit/mqtt/packet_table.hpp"

using namespace iotsky;
using namespace iotsky::mqtt;
using iotsky::test::from_hex;
using Kind = FrameResult::Kind;

namespace {

/// All good packets of the table in one stream, and one longer than 16 KiB.
std::vector<std::byte> stream() {
    std::vector<std::byte> out;
    for (const test::GoodPacket& row : test::kGoodPackets) {
        const auto packet = from_hex(row.hex);
        out.insert(out.end(), packet.begin(), packet.end());
    }
    const auto head = from_hex("30 A09C01 0001 61");
    out.insert(out.end(), head.begin(), head.end());
    out.resize(out.size() + 20'000 - 3, std::byte{'x'});
    return out;
}

std::string line(const Frame& frame) {
    return std::to_string(frame.first_byte) + ":" + std::to_string(frame.total_bytes) + ":" +
           test::hex(frame.body) + "\n";
}

/// What the framer makes of one more piece of the stream.
std::string feed(Framer& framer, Bytes in) {
    std::string lines;
    for (;;) {
        const FrameResult result = framer.next(in);
        if (result.kind != Kind::frame) {
            REQUIRE(result.kind == Kind::need_more);
            REQUIRE(in.empty());
            return lines;
        }
        lines += line(result.frame);
    }
}

DecodeError error_of(Framer& framer, std::string_view hex) {
    const auto bytes = from_hex(hex);
    Bytes in(bytes);
    const FrameResult result = framer.next(in);
    REQUIRE(result.kind == Kind::error);
    return result.error;
}

}  // namespace

TEST_SUITE("mqtt.framer") {
    TEST_CASE("a stream split at any byte gives the same packets") {
        const auto bytes = stream();
        Framer whole(kRemainingLengthMax);
        const std::string expected = feed(whole, bytes);
        REQUIRE(std::count(expected.begin(), expected.end(), '\n') ==
                std::ssize(test::kGoodPackets) + 1);
        for (std::size_t at = 0; at < 600; ++at) {  // all of the table and into the long packet
            CAPTURE(at);
            Framer framer(kRemainingLengthMax);
            std::string lines = feed(framer, Bytes(bytes).first(at));
            lines += feed(framer, Bytes(bytes).subspan(at));
            REQUIRE(lines == expected);
            REQUIRE(framer.heap_bytes() == 0);
        }
    }

    TEST_CASE("a stream that comes byte by byte, or in random pieces, gives the same packets") {
        const auto bytes = stream();
        Framer whole(kRemainingLengthMax);
        const std::string expected = feed(whole, bytes);
        SeededRandom random(1);
        for (const std::uint64_t piece_max : {1U, 3U, 64U, 5000U}) {
            CAPTURE(piece_max);
            Framer framer(kRemainingLengthMax);
            std::string lines;
            for (Bytes rest(bytes); !rest.empty();) {
                const std::size_t n =
                    std::min<std::size_t>(rest.size(), 1 + random.below(piece_max));
                lines += feed(framer, rest.first(n));
                rest = rest.subspan(n);
            }
            CHECK(lines == expected);
        }
    }

    TEST_CASE("a packet that is whole is a view into the bytes given; what follows stays") {
        const auto bytes = from_hex("30 03 0001 61 C0 00 40");
        Bytes in(bytes);
        Framer framer(100);
        const FrameResult first = framer.next(in);
        REQUIRE(first.kind == Kind::frame);
        CHECK(first.frame.body.data() == bytes.data() + 2);
        CHECK(first.frame.type() == PacketType::publish);
        CHECK(first.frame.total_bytes == 5);
        CHECK(in.size() == 3);
        CHECK_FALSE(framer.partial());
        CHECK(framer.next(in).frame.type() == PacketType::pingreq);
        CHECK(framer.next(in).kind == Kind::need_more);
        CHECK(framer.partial_bytes() == 1);
        CHECK(framer.heap_bytes() == 0);
    }

    TEST_CASE("a body that is whole is not copied when only its header was split") {
        const auto bytes = from_hex("30 03 0001 61");
        Framer framer(100);
        Bytes first = Bytes(bytes).first(1);
        CHECK(framer.next(first).kind == Kind::need_more);
        Bytes second = Bytes(bytes).subspan(1);
        const FrameResult result = framer.next(second);
        REQUIRE(result.kind == Kind::frame);
        CHECK(result.frame.body.data() == bytes.data() + 2);
        CHECK(result.frame.total_bytes == 5);
    }

    TEST_CASE("memory follows the bytes that came, not the length that was announced") {
        const auto head = from_hex("30 FFFFFF7F 0001 61");  // 256 MiB - 1
        Framer framer(kRemainingLengthMax);
        Bytes in(head);
        CHECK(framer.next(in).kind == Kind::need_more);
        CHECK(framer.partial_bytes() == 8);
        CHECK(framer.heap_bytes() == 3);
        const std::vector<std::byte> piece(1000, std::byte{'x'});
        for (std::size_t sent = 3; sent < 100'000; sent += piece.size()) {
            Bytes more(piece);
            CHECK(framer.next(more).kind == Kind::need_more);
            CHECK(framer.heap_bytes() <= 2 * (sent + piece.size()));
        }
    }

    TEST_CASE("a gathered packet is freed at the next call, and the buffer never exceeds it") {
        const auto bytes = from_hex("30 05 0001 61 6869");
        Framer framer(100);
        Bytes first = Bytes(bytes).first(6);
        CHECK(framer.next(first).kind == Kind::need_more);
        CHECK(framer.partial());
        Bytes second = Bytes(bytes).subspan(6);
        const FrameResult result = framer.next(second);
        REQUIRE(result.kind == Kind::frame);
        CHECK(test::hex(result.frame.body) == "0001616869");
        CHECK(framer.heap_bytes() == 5);
        CHECK_FALSE(framer.partial());
        CHECK(framer.next(second).kind == Kind::need_more);
        CHECK(framer.heap_bytes() == 0);
    }

    TEST_CASE("a fifth byte of the Remaining Length is a fault, however it comes") {
        Framer framer(kRemainingLengthMax);
        CHECK(error_of(framer, "30 FFFFFFFF") == DecodeError::remaining_length_too_long);
        Framer slow(kRemainingLengthMax);
        for (const std::string_view byte : {"30", "80", "80", "80"}) {
            const auto one = from_hex(byte);
            Bytes in(one);
            CHECK(slow.next(in).kind == Kind::need_more);
        }
        CHECK(error_of(slow, "80") == DecodeError::remaining_length_too_long);
    }

    TEST_CASE("a length with needless continuation bytes is read as its value") {
        const auto bytes = from_hex("C0 80808000");
        Bytes in(bytes);
        Framer framer(100);
        const FrameResult result = framer.next(in);
        REQUIRE(result.kind == Kind::frame);
        CHECK(result.frame.body.empty());
        CHECK(result.frame.total_bytes == 5);
    }

    TEST_CASE("a packet above the limit is a fault before its body comes") {
        Framer framer(127);
        CHECK(error_of(framer, "30 8001") == DecodeError::packet_too_large);
        Framer whole(3);
        CHECK(error_of(whole, "30 04 0001 6161") == DecodeError::packet_too_large);
        Framer fits(3);
        const auto bytes = from_hex("30 03 0001 61");
        Bytes in(bytes);
        CHECK(fits.next(in).kind == Kind::frame);
    }

    TEST_CASE("the limit may change between packets") {
        Framer framer(3);
        framer.set_packet_bytes_max(4);
        const auto bytes = from_hex("30 04 0001 6161");
        Bytes in(bytes);
        CHECK(framer.next(in).kind == Kind::frame);
        framer.set_packet_bytes_max(3);
        CHECK(error_of(framer, "30 04 0001 6161") == DecodeError::packet_too_large);
    }

    TEST_CASE("[MQTT-4.8.0-1] after a fault nothing more is read") {
        Framer framer(3);
        CHECK(error_of(framer, "30 04") == DecodeError::packet_too_large);
        CHECK(error_of(framer, "C0 00") == DecodeError::packet_too_large);
        CHECK_FALSE(framer.partial());
        CHECK(framer.heap_bytes() == 0);
    }

    TEST_CASE("an unfinished packet moves with its framer") {
        const auto bytes = from_hex("30 05 0001 61 6869");
        Framer landing(100);
        Bytes first = Bytes(bytes).first(4);
        CHECK(landing.next(first).kind == Kind::need_more);
        Framer home = std::move(landing);
        CHECK(home.partial_bytes() == 4);
        Bytes second = Bytes(bytes).subspan(4);
        CHECK(test::hex(home.next(second).frame.body) == "0001616869");
    }
}
