#include "broker/retained_index.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "broker/mqtt/topic.hpp"

namespace {

using iotsky::SeededRandom;
using iotsky::broker::Retained;
using iotsky::broker::RetainedIndex;
using iotsky::broker::RetainedPtr;
using iotsky::broker::Rev;
using Put = RetainedIndex::Put;
using Twin = std::map<std::string, std::pair<std::string, Rev>>;

constexpr Rev kAnyRev = ~Rev{0};

Retained message(std::string topic, std::string payload, Rev rev = 0) {
    Retained retained;
    retained.topic = std::move(topic);
    retained.payload = std::move(payload);
    retained.rev = rev;
    return retained;
}

/// Few names, so that topics meet; also empty levels, "$", and bytes that sort around '/'.
std::string random_text(SeededRandom& random, bool wildcards) {
    static constexpr std::array kLevels{"a", "b", "", "a-b", "a0", "$s", "\xc3\xa9", "c"};
    const auto levels = 1 + random.below(4);
    std::string text;
    for (std::uint64_t i = 0; i < levels; ++i) {
        text += i == 0 ? "" : "/";
        const auto dice = random.below(10);
        if (wildcards && dice == 0) {
            return text + "#";
        }
        text += wildcards && dice < 4 ? "+" : kLevels.at(random.below(kLevels.size()));
    }
    return text.empty() ? "a" : text;
}

std::vector<RetainedPtr> all_matches(const RetainedIndex& index, std::string_view filter,
                                     Rev rev_max, std::size_t slice) {
    std::vector<RetainedPtr> out;
    RetainedIndex::Cursor cursor;
    for (int rounds = 0; !cursor.done; ++rounds) {
        REQUIRE(rounds < 100'000);
        index.match(filter, rev_max, cursor, slice, out);
    }
    return out;
}

void compare(const RetainedIndex& index, const Twin& twin, std::string_view filter, Rev rev_max,
             std::size_t slice) {
    CAPTURE(filter);
    CAPTURE(slice);
    Twin found;
    for (const RetainedPtr& one : all_matches(index, filter, rev_max, slice)) {
        CHECK(found.emplace(one->topic, std::pair(one->payload, one->rev)).second);
    }
    Twin expected;
    for (const auto& [topic, value] : twin) {
        if (value.second <= rev_max && iotsky::mqtt::matches(filter, topic)) {
            expected.emplace(topic, value);
        }
    }
    CHECK((found == expected));
}

}  // namespace

TEST_SUITE("broker.retained_index") {
    TEST_CASE(
        "[MQTT-3.3.1-5] [MQTT-3.3.1-6] it holds the last message of each topic and finds it") {
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            CAPTURE(seed);
            SeededRandom random(seed);
            RetainedIndex index({});
            Twin twin;
            for (int step = 0; step < 600; ++step) {
                const std::string topic = random_text(random, false);
                const bool clears = random.below(3) == 0;
                const std::string payload = clears ? "" : std::to_string(step);
                const auto put = index.put(message(topic, payload));
                CHECK(put.put == (clears ? Put::cleared : Put::stored));
                CHECK(put.rev == static_cast<Rev>(step) + 1);
                CHECK(index.rev() == put.rev);
                twin.erase(topic);
                if (!clears) {
                    twin.emplace(topic, std::pair(payload, put.rev));
                }
                CHECK(index.size() == twin.size());
                compare(index, twin, random_text(random, true), random.below(put.rev + 10),
                        1 + random.below(5));
            }
            compare(index, twin, "#", kAnyRev, 1000);
            for (const auto& [topic, value] : twin) {
                CHECK(index.get(topic)->payload == value.first);
                static_cast<void>(index.put(message(topic, "")));
            }
            CHECK(index.size() == 0);
            CHECK(index.bytes() == 0);
        }
    }

    TEST_CASE("[MQTT-4.7.2-1] a leading wildcard finds no topic that begins with $") {
        RetainedIndex index({});
        static_cast<void>(index.put(message("$SYS/uptime", "1")));
        CHECK(all_matches(index, "#", kAnyRev, 10).empty());
        CHECK(all_matches(index, "+/uptime", kAnyRev, 10).empty());
        CHECK(all_matches(index, "$SYS/#", kAnyRev, 10).size() == 1);
    }

    TEST_CASE("a/# finds a, and nothing that only sorts between a and a/") {
        RetainedIndex index({});
        for (const char* topic : {"a", "a-b", "a/b", "a0", "a/b/c", "a/b-c/d"}) {
            static_cast<void>(index.put(message(topic, "x")));
        }
        for (const std::size_t slice : {1U, 2U, 100U}) {
            CHECK(all_matches(index, "a/#", kAnyRev, slice).size() == 4);
            CHECK(all_matches(index, "a/b/#", kAnyRev, slice).size() == 2);
        }
    }

    TEST_CASE("a slice visits no more than it may, and only topics below the literal levels") {
        RetainedIndex index({});
        for (int i = 0; i < 100; ++i) {
            static_cast<void>(index.put(message("7b/otter/" + std::to_string(i), "x")));
            static_cast<void>(index.put(message("7b/heron/" + std::to_string(i), "x")));
        }
        std::vector<RetainedPtr> out;
        RetainedIndex::Cursor cursor;
        index.match("7b/otter/+", kAnyRev, cursor, 99, out);
        CHECK(out.size() == 99);
        CHECK_FALSE(cursor.done);
        index.match("7b/otter/+", kAnyRev, cursor, 99, out);
        CHECK(out.size() == 100);
        CHECK(cursor.done);
    }

    TEST_CASE("a full index refuses what grows it, keeps what it has, and always lets clear") {
        RetainedIndex::Limits limits;
        SUBCASE("by number") {
            limits.messages_max = 2;
        }
        SUBCASE("by bytes") {
            RetainedIndex measure({});
            static_cast<void>(measure.put(message("b", "1")));
            limits.bytes_max = 2 * measure.bytes();
        }
        RetainedIndex index(limits);
        CHECK(index.put(message("a", "1")).put == Put::stored);
        CHECK(index.put(message("b", "2")).put == Put::stored);
        const auto refused = index.put(message("c", "3"));
        CHECK(refused.put == Put::full);
        CHECK(refused.rev == 0);
        CHECK(index.rev() == 2);
        CHECK(index.size() == 2);
        CHECK(index.put(message("a", "4")).put == Put::stored);
        CHECK(index.get("a")->payload == "4");
        if (limits.bytes_max < (1U << 20U)) {
            CHECK(index.put(message("a", "44")).put == Put::full);
            CHECK(index.get("a")->payload == "4");
        }
        CHECK(index.put(message("b", "")).put == Put::cleared);
        CHECK(index.put(message("c", "5")).put == Put::stored);
    }

    TEST_CASE("recovery keeps the higher revision, whatever the order, and goes on after it") {
        RetainedIndex index({});
        index.restore(message("a", "new", 9));
        index.restore(message("a", "old", 5));
        index.restore(message("b", "old", 3));
        index.restore(message("b", "", 4));
        CHECK(index.get("a")->payload == "new");
        CHECK(index.get("b") == nullptr);
        CHECK(index.size() == 1);
        CHECK(index.rev() == 9);
        CHECK(index.put(message("a", "live")).rev == 10);
        static_cast<void>(index.put(message("a", "")));
        CHECK(index.bytes() == 0);
    }

    TEST_CASE("a replay in slices meets what stays exactly once while others come and go") {
        RetainedIndex index({});
        constexpr std::size_t kStay = 500;
        for (std::size_t i = 0; i < kStay; ++i) {
            static_cast<void>(index.put(message("t/" + std::to_string(2 * i) + "/x", "stay")));
        }
        const Rev noted = index.rev();
        std::atomic<bool> stop{false};
        std::thread writer([&] {
            SeededRandom random(1);
            while (!stop.load()) {
                const auto odd = 2 * random.below(kStay) + 1;
                static_cast<void>(index.put(
                    message("t/" + std::to_string(odd) + "/x", random.below(2) == 0 ? "" : "go")));
            }
        });
        for (int round = 0; round < 20; ++round) {
            std::map<std::string, int> seen;
            for (const RetainedPtr& one : all_matches(index, "t/#", noted, 7)) {
                ++seen[one->topic];
                CHECK(one->rev <= noted);
            }
            CHECK(seen.size() == kStay);
            CHECK(std::all_of(seen.begin(), seen.end(), [](auto& s) { return s.second == 1; }));
        }
        stop.store(true);
        writer.join();
    }

    TEST_CASE("revisions of one topic rise in the order in which its values appear") {
        RetainedIndex index({});
        std::vector<std::thread> writers;
        for (int w = 0; w < 2; ++w) {
            writers.emplace_back([&] {
                for (int i = 0; i < 20'000; ++i) {
                    static_cast<void>(index.put(message("one/topic/only", "x")));
                }
            });
        }
        Rev last = 0;
        int older = 0;
        for (int i = 0; i < 20'000; ++i) {
            if (const RetainedPtr now = index.get("one/topic/only")) {
                older += now->rev < last ? 1 : 0;
                last = now->rev;
            }
        }
        for (std::thread& writer : writers) {
            writer.join();
        }
        CHECK(older == 0);
        CHECK(index.get("one/topic/only")->rev == 40'000);
    }

    TEST_CASE("an owner has as many messages as it may, and a replaced one does not count twice") {
        RetainedIndex index({});
        const auto owner = std::make_shared<iotsky::broker::Principal>();
        const auto put = [&](const char* topic, const char* payload) {
            Retained one = message(topic, payload);
            one.owner = owner;
            return index.put(std::move(one), 2).put;
        };
        CHECK(put("a", "1") == Put::stored);
        CHECK(put("b", "1") == Put::stored);
        CHECK(put("c", "1") == Put::owner_full);
        CHECK(index.get("c") == nullptr);
        CHECK(put("a", "2") == Put::stored);
        CHECK(put("a", "") == Put::cleared);
        CHECK(put("never set", "") == Put::cleared);
        CHECK(put("c", "1") == Put::stored);
        CHECK(owner->retained.load() == 2);
    }

    TEST_CASE("a message counts for the one who set it last") {
        RetainedIndex index({});
        const auto first = std::make_shared<iotsky::broker::Principal>();
        const auto second = std::make_shared<iotsky::broker::Principal>();
        const auto put = [&](const std::shared_ptr<iotsky::broker::Principal>& owner) {
            Retained one = message("commons", "x");
            one.owner = owner;
            return index.put(std::move(one), 1).put;
        };
        CHECK(put(first) == Put::stored);
        CHECK(put(second) == Put::stored);
        CHECK(first->retained.load() == 0);
        CHECK(second->retained.load() == 1);
        CHECK(put(nullptr) == Put::stored);
        CHECK(second->retained.load() == 0);
    }

    TEST_CASE("what the broker's own limit keeps out does not count for its owner") {
        RetainedIndex index({1, 1U << 20U});
        const auto owner = std::make_shared<iotsky::broker::Principal>();
        CHECK(index.put(message("a", "1")).put == Put::stored);
        Retained one = message("b", "1");
        one.owner = owner;
        CHECK(index.put(std::move(one), 5).put == Put::full);
        CHECK(owner->retained.load() == 0);
    }

    TEST_CASE("restored messages count for their owner, also beyond the limit of today") {
        RetainedIndex index({});
        const auto owner = std::make_shared<iotsky::broker::Principal>();
        for (Rev rev = 1; rev <= 3; ++rev) {
            Retained one = message("t/" + std::to_string(rev), "x", rev);
            one.owner = owner;
            index.restore(std::move(one));
        }
        CHECK(owner->retained.load() == 3);
        Retained newer = message("t/1", "y", 9);
        newer.owner = owner;
        index.restore(std::move(newer));
        CHECK(owner->retained.load() == 3);
    }
}
