#include "broker/topic_index.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "broker/mqtt/topic.hpp"

namespace {

using iotsky::SeededRandom;
using iotsky::broker::Form;
using iotsky::broker::RouteStamp;
using iotsky::broker::SessionRef;
using iotsky::broker::Subscriber;
using iotsky::broker::TopicIndex;

Subscriber subscriber(std::uint32_t gen, std::uint8_t qos = 0, Form form = Form::plain) {
    Subscriber one;
    one.session.gen = gen;
    one.session.slot = gen & 0xffU;
    one.qos = qos;
    one.form = form;
    return one;
}

std::string random_text(SeededRandom& random, bool wildcards) {
    static constexpr std::array kLevels{"a", "b", "", "a-b", "$s", "iot"};
    // Mostly short; some beyond the length of a path in the trie.
    const auto levels = random.below(8) == 0 ? 30 + random.below(10) : 1 + random.below(5);
    std::string text;
    for (std::uint64_t i = 0; i < levels; ++i) {
        text += i == 0 ? "" : "/";
        const auto dice = random.below(levels > 5 ? 40 : 10);
        if (wildcards && dice == 0) {
            return text + "#";
        }
        text += wildcards && dice < 4 ? "+" : kLevels.at(random.below(levels > 5 ? 2 : 6));
    }
    return text.empty() ? "a" : text;
}

/// Filter, session generation, form, QoS: what a look-up says and what the twin says.
using Found = std::vector<std::tuple<std::uint32_t, Form, std::uint8_t>>;

/// The obvious thing: all subscriptions in a list.
class Twin {
  public:
    void insert(const std::string& filter, const Subscriber& one) {
        erase(filter, one.session, one.form);
        items_.emplace_back(filter, one);
    }
    bool erase(const std::string& filter, SessionRef session, Form form) {
        return std::erase_if(items_, [&](const auto& item) {
                   return item.first == filter && item.second.session == session &&
                          item.second.form == form;
               }) != 0;
    }
    [[nodiscard]] Found match(std::string_view topic) const {
        Found found;
        for (const auto& [filter, one] : items_) {
            if (iotsky::mqtt::matches(filter, topic)) {
                found.emplace_back(one.session.gen, one.form, one.qos);
            }
        }
        std::sort(found.begin(), found.end());
        return found;
    }
    [[nodiscard]] const auto& items() const { return items_; }

  private:
    std::vector<std::pair<std::string, Subscriber>> items_;
};

Found match(const TopicIndex& index, std::string_view topic) {
    std::vector<Subscriber> out;
    static_cast<void>(index.match(topic, out));
    Found found;
    for (const Subscriber& one : out) {
        found.emplace_back(one.session.gen, one.form, one.qos);
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

TEST_SUITE("broker.topic_index") {
    TEST_CASE(
        "[MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-4] it finds what a list of filters finds") {
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            CAPTURE(seed);
            SeededRandom random(seed);
            TopicIndex index;
            Twin twin;
            for (int step = 0; step < 1500; ++step) {
                if (random.below(5) < 2 && !twin.items().empty()) {
                    const auto [filter, one] = twin.items()[random.below(twin.items().size())];
                    CHECK(index.erase(filter, one.session, one.form));
                    twin.erase(filter, one.session, one.form);
                } else {
                    const std::string filter = random_text(random, random.below(4) != 0);
                    const Subscriber one =
                        subscriber(1 + static_cast<std::uint32_t>(random.below(5)),
                                   static_cast<std::uint8_t>(random.below(3)),
                                   static_cast<Form>(random.below(2)));
                    index.insert(filter, one);
                    twin.insert(filter, one);
                }
                CHECK(index.size() == twin.items().size());
                const std::string topic = random_text(random, false);
                CAPTURE(topic);
                CHECK((match(index, topic) == twin.match(topic)));
            }
            while (!twin.items().empty()) {
                const auto [filter, one] = twin.items()[random.below(twin.items().size())];
                CHECK(index.erase(filter, one.session, one.form));
                twin.erase(filter, one.session, one.form);
            }
            CHECK(index.size() == 0);
            CHECK(index.parts_for_test() == 0);
        }
    }

    TEST_CASE("[MQTT-4.7.2-1] a leading wildcard does not match a topic that begins with $") {
        TopicIndex index;
        index.insert("#", subscriber(1));
        index.insert("+/x", subscriber(2));
        index.insert("+/+/x/#", subscriber(3));
        index.insert("$SYS/#", subscriber(4));
        index.insert("$SYS/+", subscriber(5));
        CHECK((match(index, "$SYS/x") == Found{{4, Form::plain, 0}, {5, Form::plain, 0}}));
        CHECK((match(index, "$SYS") == Found{{4, Form::plain, 0}}));
        CHECK((match(index, "a/x") == Found{{1, Form::plain, 0}, {2, Form::plain, 0}}));
    }

    TEST_CASE("[MQTT-3.8.4-3] the same session, filter and form again replaces") {
        TopicIndex index;
        for (const char* filter : {"a/b", "a/+", "a/b/#", "+/b"}) {
            index.insert(filter, subscriber(1, 0));
            index.insert(filter, subscriber(1, 2));
            index.insert(filter, subscriber(1, 1, Form::me));
        }
        CHECK(index.size() == 8);
        const Found found = match(index, "a/b");
        CHECK(found.size() == 8);
        CHECK(std::count(found.begin(), found.end(),
                         std::tuple(1U, Form::plain, std::uint8_t{2})) == 4);
    }

    TEST_CASE("what is not there is not removed") {
        TopicIndex index;
        index.insert("a/b", subscriber(1));
        index.insert("a/+/c", subscriber(1));
        for (const char* filter : {"a", "a/c", "a/+", "a/+/c/d", "a/+/#", "#"}) {
            CHECK_FALSE(index.erase(filter, subscriber(1).session, Form::plain));
        }
        CHECK_FALSE(index.erase("a/b", subscriber(2).session, Form::plain));
        CHECK_FALSE(index.erase("a/+/c", subscriber(1).session, Form::me));
        CHECK(index.size() == 2);
    }

    TEST_CASE("an entry changes in place and its route entries fall") {
        TopicIndex index;
        index.insert("7b/otter/#", subscriber(1));
        const RouteStamp before = index.stamp("7b/otter/x");
        Subscriber changed = subscriber(1);
        changed.masked = true;
        index.insert("7b/otter/#", changed);
        CHECK_FALSE(index.stamp("7b/otter/x") == before);
        std::vector<Subscriber> out;
        CHECK(index.match("7b/otter/x", out) == index.stamp("7b/otter/x"));
        REQUIRE(out.size() == 1);
        CHECK(out[0].masked);
    }

    TEST_CASE("a change invalidates the topics that it can concern, and hardly others") {
        TopicIndex index;
        const auto stamps = [&index] {
            return std::array{index.stamp("7b/otter"), index.stamp("7b/otter/a"),
                              index.stamp("7b/heron/a")};
        };
        // "7b/otter" and "7b/heron" may share one of 1,024 generations, by the key of this process.
        const bool apart =
            TopicIndex::prefix_slot("7b/otter") != TopicIndex::prefix_slot("7b/heron");
        for (const char* filter : {"7b/otter", "7b/otter/#", "7b/otter/+/x"}) {
            const auto before = stamps();
            index.insert(filter, subscriber(1));
            const auto after = stamps();
            CHECK_FALSE(before[0] == after[0]);
            CHECK_FALSE(before[1] == after[1]);
            CHECK((before[2] == after[2]) == apart);
        }
        for (const char* filter : {"#", "7b/+/x", "+/otter"}) {
            const auto before = stamps();
            CHECK_FALSE(index.erase(filter, subscriber(1).session, Form::plain));
            CHECK((before == stamps()));
            index.insert(filter, subscriber(1));
            CHECK_FALSE(before[2] == stamps()[2]);
        }
        const auto before = stamps();
        index.bump_all();
        CHECK_FALSE(before[0] == stamps()[0]);
        CHECK_FALSE(before[2] == stamps()[2]);
    }

    TEST_CASE("65,535 levels are inserted, matched and removed without a deep stack") {
        TopicIndex index;
        const std::string deep(65'534, '/');
        for (const std::string& filter :
             {deep + "#", deep + "+", "+" + deep, deep, "a" + deep, std::string("#")}) {
            index.insert(filter, subscriber(1));
        }
        const Found found = match(index, deep + "x");
        CHECK(found.size() == 3);  // "#" alone, and the first two
        CHECK(match(index, deep).size() == 5);
        CHECK(match(index, "a" + deep).size() == 3);
        for (const std::string& filter :
             {deep + "#", deep + "+", "+" + deep, deep, "a" + deep, std::string("#")}) {
            CHECK(index.erase(filter, subscriber(1).session, Form::plain));
        }
        CHECK(index.parts_for_test() == 0);
    }

    TEST_CASE("thousands of sessions on one filter come and go") {
        TopicIndex index;
        constexpr std::uint32_t kSessions = 3000;
        for (const char* filter : {"7b/board/#", "7b/board/news"}) {
            for (std::uint32_t i = 1; i <= kSessions; ++i) {
                index.insert(filter, subscriber(i));
            }
        }
        CHECK(match(index, "7b/board/news").size() == 2 * kSessions);
        SeededRandom random(1);
        std::vector<std::uint32_t> order;
        for (std::uint32_t i = 1; i <= kSessions; ++i) {
            order.insert(order.begin() + static_cast<std::ptrdiff_t>(random.below(i)), i);
        }
        std::size_t left = kSessions;
        for (const std::uint32_t i : order) {
            CHECK(index.erase("7b/board/#", subscriber(i).session, Form::plain));
            CHECK_FALSE(index.erase("7b/board/#", subscriber(i).session, Form::plain));
            CHECK(index.erase("7b/board/news", subscriber(i).session, Form::plain));
            if (--left % 500 == 0) {
                CHECK(match(index, "7b/board/news").size() == 2 * left);
            }
        }
        CHECK(index.parts_for_test() == 0);
    }

    TEST_CASE(
        "a look-up with the stamp of now is the look-up of now, whatever is changed meanwhile") {
        TopicIndex index;
        std::atomic<bool> stop{false};
        // Each writer keeps the last QoS that it has set, so that what is there can be told apart.
        std::vector<std::thread> writers;
        for (std::uint32_t id = 1; id <= 2; ++id) {
            writers.emplace_back([&index, &stop, id] {
                SeededRandom random(id);
                while (!stop.load(std::memory_order_relaxed)) {
                    static constexpr std::array kFilters{"7b/otter/a", "7b/otter/+", "7b/#",
                                                         "+/otter/a"};
                    const char* filter = kFilters.at(random.below(kFilters.size()));
                    if (random.below(3) == 0) {
                        index.erase(filter, subscriber(id).session, Form::plain);
                    } else {
                        index.insert(filter,
                                     subscriber(id, static_cast<std::uint8_t>(random.below(3))));
                    }
                }
            });
        }
        int stale = 0;
        int same = 0;
        std::vector<Subscriber> first;
        std::vector<Subscriber> second;
        for (int i = 0; i < 15'000; ++i) {
            first.clear();
            second.clear();
            const RouteStamp stamp = index.match("7b/otter/a", first);
            const RouteStamp again = index.match("7b/otter/a", second);
            if (stamp == again) {  // nothing changed in between, so both must have found the same
                ++same;
                const bool equal = std::equal(
                    first.begin(), first.end(), second.begin(), second.end(),
                    [](const Subscriber& a, const Subscriber& b) {
                        return a.session == b.session && a.qos == b.qos && a.form == b.form;
                    });
                stale += equal ? 0 : 1;
            }
        }
        stop.store(true);
        for (std::thread& writer : writers) {
            writer.join();
        }
        CHECK(same > 0);
        CHECK(stale == 0);
    }
}
