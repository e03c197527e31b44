#include "api/handshake_log.hpp"

#include <doctest/doctest.h>

namespace iotsky::api {
namespace {

HandshakeFailure failure(std::string address, std::int64_t at_s) {
    HandshakeFailure out;
    out.number = "E3203";
    out.address = std::move(address);
    out.time = from_unix_s(at_s);
    return out;
}

}  // namespace

TEST_SUITE("api.handshake_log") {
    TEST_CASE("equal failures within 10 s are one entry with a count and a new number") {
        HandshakeLog log;
        log.add(failure("10.20.3.77", 100));
        log.add(failure("10.20.3.78", 101));
        log.add(failure("10.20.3.77", 105));
        const auto entries = log.list("", UINT64_MAX, 10);
        REQUIRE(entries.size() == 2);
        CHECK(entries[0].address == "10.20.3.77");
        CHECK(entries[0].count == 2);
        CHECK(entries[0].seq == 3);
        log.add(failure("10.20.3.77", 116));
        CHECK(log.list("", UINT64_MAX, 10).size() == 3);
        HandshakeFailure other_name = failure("10.20.3.77", 117);
        other_name.server_name = "iot.lan";
        log.add(other_name);
        CHECK(log.list("", UINT64_MAX, 10).size() == 4);
    }

    TEST_CASE("the log is bounded: the oldest go") {
        HandshakeLog log{3};
        for (int i = 0; i < 10; ++i) {
            log.add(failure(std::to_string(i), i));
        }
        const auto entries = log.list("", UINT64_MAX, 10);
        REQUIRE(entries.size() == 3);
        CHECK(entries[2].address == "7");
    }

    TEST_CASE("lists narrow to an address and go on below a number") {
        HandshakeLog log;
        log.add(failure("a", 1));
        log.add(failure("b", 2));
        log.add(failure("a", 50));
        CHECK(log.list("a", UINT64_MAX, 10).size() == 2);
        const auto page = log.list("", 3, 1);
        REQUIRE(page.size() == 1);
        CHECK(page[0].address == "b");
        CHECK(log.list("c", UINT64_MAX, 10).empty());
    }
}

}  // namespace iotsky::api
