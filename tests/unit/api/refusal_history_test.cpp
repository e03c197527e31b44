#include "api/refusal_history.hpp"

#include <doctest/doctest.h>

namespace iotsky::api {
namespace {

broker::Refusal refusal(std::string topic, std::int64_t at_s, std::string thing = "th_1") {
    broker::Refusal out;
    out.number = "E3101";
    out.what = "publish";
    out.identity = "7b/otter/weather";
    out.thing_id = std::move(thing);
    out.class_name = "7b";
    out.topic = std::move(topic);
    out.time = from_unix_s(at_s);
    return out;
}

}  // namespace

TEST_SUITE("api.refusal_history") {
    TEST_CASE("equal refusals within 10 s are one entry with a count and a new number") {
        RefusalHistory history;
        history.refused(refusal("a", 100));
        history.refused(refusal("b", 101));
        history.refused(refusal("a", 105));
        const auto entries = history.refusals({});
        REQUIRE(entries.size() == 2);
        CHECK(entries[0].refusal.topic == "a");
        CHECK(entries[0].refusal.count == 2);
        CHECK(entries[0].seq == 3);
        CHECK(entries[1].refusal.topic == "b");
        history.refused(refusal("a", 116));
        CHECK(history.refusals({}).size() == 3);
    }

    TEST_CASE("the history is bounded: the oldest go") {
        RefusalHistory history{3};
        for (int i = 0; i < 10; ++i) {
            history.refused(refusal(std::to_string(i), i));
        }
        const auto entries = history.refusals({});
        REQUIRE(entries.size() == 3);
        CHECK(entries[2].refusal.topic == "7");
    }

    TEST_CASE("filters: thing, class, after, pages") {
        RefusalHistory history;
        history.refused(refusal("a", 1, "th_1"));
        history.refused(refusal("b", 2, "th_2"));
        history.refused(refusal("c", 3, "th_1"));
        RefusalFilter filter;
        filter.thing_id = "th_1";
        CHECK(history.refusals(filter).size() == 2);
        filter.after = 1;
        REQUIRE(history.refusals(filter).size() == 1);
        CHECK(history.refusals(filter)[0].refusal.topic == "c");
        RefusalFilter page;
        page.limit = 1;
        page.before = 3;
        REQUIRE(history.refusals(page).size() == 1);
        CHECK(history.refusals(page)[0].refusal.topic == "b");
        RefusalFilter other;
        other.class_name = "8a";
        CHECK(history.refusals(other).empty());
    }

    TEST_CASE("failed handshakes are kept beside, folded by cause and address") {
        RefusalHistory history;
        HandshakeFailure failure;
        failure.number = "E3203";
        failure.address = "10.20.3.77";
        failure.time = from_unix_s(5);
        history.handshake_failed(failure);
        history.handshake_failed(failure);
        failure.address = "10.20.3.78";
        history.handshake_failed(failure);
        const auto all = history.handshakes("", UINT64_MAX, 10);
        REQUIRE(all.size() == 2);
        CHECK(all[1].failure.count == 2);
        CHECK(history.handshakes("10.20.3.77", UINT64_MAX, 10).size() == 1);
        CHECK(history.refusals({}).empty());
    }
}

}  // namespace iotsky::api
