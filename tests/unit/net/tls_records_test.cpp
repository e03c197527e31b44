#include "broker/net/tls_records.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace iotsky::net;
using namespace std::string_literals;

namespace {
std::string record(std::size_t body, char type = 23) {
    return std::string{type, 3, 3, static_cast<char>(body >> 8U), static_cast<char>(body & 0xff)} +
           std::string(body, 'x');
}
WholeRecords whole(const std::string& bytes, std::size_t slice_max = 16384) {
    return whole_records(std::as_bytes(std::span{bytes}), slice_max);
}
FirstBytes first(std::string_view bytes) {
    return classify_first_bytes(std::as_bytes(std::span{bytes}));
}
}  // namespace

TEST_SUITE("net.tls_records") {
    TEST_CASE("only whole records count") {
        const std::string two = record(3) + record(10);
        for (std::size_t n = 0; n <= two.size(); ++n) {
            CAPTURE(n);
            const std::size_t expected = n < 8 ? 0 : n < 23 ? 8 : 23;
            CHECK(whole(two.substr(0, n)).bytes == expected);
            CHECK_FALSE(whole(two.substr(0, n)).malformed);
        }
    }
    TEST_CASE("a slice ends between records, but holds at least one") {
        CHECK(whole(record(10) + record(10), 20).bytes == 15);
        CHECK(whole(record(100), 20).bytes == 105);
        CHECK(whole(record(10) + record(10), 30).bytes == 30);
        CHECK(whole(record(18432)).bytes == 18437);
    }
    TEST_CASE("a header that cannot be is told, after the records before it") {
        CHECK(whole(record(18433)).malformed);
        CHECK(whole("GET /").malformed);
        CHECK(whole(record(1) + "\x10\x0c\0\4M"s).bytes == 6);
        CHECK(whole(record(1) + "\x10\x0c\0\4M"s).malformed);
    }
    TEST_CASE("the first bytes tell what a peer speaks") {
        CHECK(first("\x16\x03\x01") == FirstBytes::tls);
        CHECK(first("\x10\x0c\x00\x04MQTT") == FirstBytes::mqtt);
        CHECK(first("GET / HTTP/1.1\r\n") == FirstBytes::http);
        CHECK(first("PO") == FirstBytes::http);
        CHECK(first("HELO") == FirstBytes::other);
        CHECK(first("SSH-2.0") == FirstBytes::other);
    }
}
