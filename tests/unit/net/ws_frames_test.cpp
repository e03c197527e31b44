#include "broker/net/ws_frames.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "tests/support/ws_frames.hpp"

using namespace iotsky;
using namespace iotsky::net;
using namespace iotsky::test;
using namespace std::string_literals;

namespace {

struct Outcome {
    std::string data;
    std::string ping;
    bool ended = false;
    std::uint16_t status = 0;
    WsFault fault = WsFault::none;
    bool operator==(const Outcome&) const = default;
};

/// What `bytes` are when they come in pieces of `piece` bytes.
Outcome decode(std::string bytes, std::size_t piece = SIZE_MAX) {
    WsDecoder decoder;
    Outcome out;
    std::span<std::byte> left{reinterpret_cast<std::byte*>(bytes.data()), bytes.size()};
    while (!left.empty() && !out.ended) {
        const auto in = left.first(std::min(piece, left.size()));
        left = left.subspan(in.size());
        const WsInput input = decoder.decode(in);
        out.data += as_text(input.data);
        if (input.pinged) {
            out.ping = as_text(decoder.ping());
        }
        out.ended = input.ended;
        out.status = input.status;
        out.fault = input.fault;
    }
    return out;
}

std::string header(std::initializer_list<int> bytes) {
    std::string out;
    for (const int byte : bytes) {
        out += static_cast<char>(byte);
    }
    return out;
}

std::string long_text(std::size_t n) {
    std::string out(n, '\0');
    for (std::size_t i = 0; i < n; ++i) {
        out[i] = static_cast<char>(i * 7 + i / 256);
    }
    return out;
}

}  // namespace

TEST_SUITE("net.ws_frames") {
    TEST_CASE("payload comes out unmasked, in every form of length") {
        for (const std::size_t n : {0U, 1U, 125U, 126U, 127U, 0xffffU, 0x10000U, 200'000U}) {
            CAPTURE(n);
            const std::string payload = long_text(n);
            const Outcome out = decode(client_frame(kBinary, payload));
            CHECK(out.data == payload);
            CHECK_FALSE(out.ended);
        }
    }
    TEST_CASE("[MQTT-6.0.0-2] frames may be cut anywhere and need not hold whole packets") {
        const std::string stream = client_frame(kBinaryBegin, "\x10\x0c"s) +
                                   client_frame(kPing, "a") + client_frame(kMore, "") +
                                   client_frame(kMore, "\0\4MQ"s) + client_frame(kPong, "zz") +
                                   client_frame(kLast, "TT") + client_frame(kBinary, "") +
                                   client_frame(kBinary, long_text(300)) +
                                   client_frame(kPing, "last") + client_frame(kBinary, "end");
        const Outcome whole = decode(stream);
        CHECK(whole.data == "\x10\x0c\0\4MQTT"s + long_text(300) + "end");
        CHECK(whole.ping == "last");
        for (const std::size_t piece : {1U, 2U, 3U, 5U, 7U, 64U}) {
            CAPTURE(piece);
            CHECK(decode(stream, piece) == whole);
        }
    }
    TEST_CASE("what the client must not send ends it, with the status that says so") {
        struct Row {
            std::string bytes;
            WsFault fault;
            std::uint16_t status;
        };
        const std::string begun = client_frame(kBinaryBegin, "a");
        const std::string mask(4, '\0');
        const std::vector<Row> rows{
            {client_frame(kText, "hello"), WsFault::text_frame, kWsUnsupportedData},
            {client_frame(0x01, "hello"), WsFault::text_frame, kWsUnsupportedData},
            {header({0x82, 0x01, 'a'}), WsFault::not_masked, kWsProtocolError},
            {client_frame(0xc2, "a"), WsFault::reserved_bits, kWsProtocolError},
            {client_frame(0xa2, "a"), WsFault::reserved_bits, kWsProtocolError},
            {client_frame(0x92, "a"), WsFault::reserved_bits, kWsProtocolError},
            {client_frame(0x83, "a"), WsFault::reserved_opcode, kWsProtocolError},
            {client_frame(0x87, "a"), WsFault::reserved_opcode, kWsProtocolError},
            {client_frame(0x8b, "a"), WsFault::reserved_opcode, kWsProtocolError},
            {client_frame(0x8f, "a"), WsFault::reserved_opcode, kWsProtocolError},
            {header({0x82, 0xfe, 0, 125}) + mask, WsFault::length_not_minimal, kWsProtocolError},
            {header({0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff}) + mask, WsFault::length_not_minimal,
             kWsProtocolError},
            {header({0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}) + mask, WsFault::length_too_large,
             kWsProtocolError},
            {client_frame(0x09, "a"), WsFault::control_fragmented, kWsProtocolError},
            {client_frame(0x08, ""), WsFault::control_fragmented, kWsProtocolError},
            {client_frame(kPing, std::string(126, 'x')), WsFault::control_too_long,
             kWsProtocolError},
            {client_frame(kLast, "a"), WsFault::nothing_to_continue, kWsProtocolError},
            {client_frame(kBinary, "") + client_frame(kMore, "a"), WsFault::nothing_to_continue,
             kWsProtocolError},
            {begun + client_frame(kBinary, "b"), WsFault::message_unfinished, kWsProtocolError},
            {client_frame(kClose, "\x03"), WsFault::close_malformed, kWsProtocolError},
            {client_frame(kClose, "\x03\xed"), WsFault::close_malformed, kWsProtocolError},
            {client_frame(kClose, "\x03\xee"), WsFault::close_malformed, kWsProtocolError},
            {client_frame(kClose, "\0\0"s), WsFault::close_malformed, kWsProtocolError},
        };
        for (const Row& row : rows) {
            CAPTURE(text(row.fault));
            const Outcome out = decode(row.bytes + client_frame(kBinary, "behind"));
            CHECK(out.ended);
            CHECK(out.fault == row.fault);
            CHECK(out.status == row.status);
            CHECK(out.data.find("behind") == std::string::npos);
            CHECK(decode(row.bytes, 1) == out);
            CHECK_FALSE(std::string{text(row.fault)}.empty());
        }
    }
    TEST_CASE("a Close frame ends it, and its status comes back") {
        CHECK(decode(client_frame(kClose, "")) == Outcome{"", "", true, kWsNormal, WsFault::none});
        CHECK(decode(client_frame(kBinary, "a") + client_frame(kClose, "\x03\xe9 bye")) ==
              Outcome{"a", "", true, 1001, WsFault::none});
        CHECK(decode(client_frame(kClose, "\x0f\xa0")).status == 4000);
        // Also inside a message.
        CHECK(decode(client_frame(kBinaryBegin, "a") + client_frame(kClose, "")).ended);
    }
    TEST_CASE("an announced length costs nothing, and control frames little") {
        WsDecoder decoder;
        std::string bytes = header({0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) +
                            std::string(4, '\0') + "abc";
        const auto in = [](std::string& text) {
            return std::span{reinterpret_cast<std::byte*>(text.data()), text.size()};
        };
        CHECK(as_text(decoder.decode(in(bytes)).data) == "abc");
        CHECK(decoder.heap_bytes() == 0);
        WsDecoder flooded;
        for (int i = 0; i < 1'000; ++i) {
            std::string ping = client_frame(kPing, std::string(125, 'p'));
            CHECK(flooded.decode(in(ping)).pinged);
            CHECK(flooded.heap_bytes() <= 250);
        }
    }
    TEST_CASE("our headers are unmasked and as short as can be") {
        const auto text_of = [](const WsHeader& header) {
            return std::string{as_text(header.view())};
        };
        CHECK(text_of(ws_header(WsOpcode::binary, 0)) == "\x82\0"s);
        CHECK(text_of(ws_header(WsOpcode::binary, 125)) == "\x82\x7d");
        CHECK(text_of(ws_header(WsOpcode::binary, 126)) == "\x82\x7e\0\x7e"s);
        CHECK(text_of(ws_header(WsOpcode::binary, 0xffff)) == "\x82\x7e\xff\xff");
        CHECK(text_of(ws_header(WsOpcode::pong, 1)) == "\x8a\x01");
    }
}
