#include "broker/route_cache.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "acl/policy.hpp"
#include "acl/rule_set.hpp"
#include "base/random.hpp"

namespace {

using iotsky::SeededRandom;
using iotsky::WallTime;
using iotsky::acl::AuthContext;
using iotsky::acl::ReceiveClass;
using iotsky::broker::Form;
using iotsky::broker::RouteCache;
using iotsky::broker::RouteEntry;
using iotsky::broker::RouteStamp;
using iotsky::broker::Subscriber;
using iotsky::broker::Target;
using iotsky::broker::TopicIndex;

constexpr RouteCache::Limits kRoomy{};

Subscriber subscriber(std::uint32_t number, std::uint8_t qos = 0, Form form = Form::plain) {
    Subscriber one;
    one.session.gen = 1;
    one.session.slot = number & 0xffffffU;
    one.session.thread = static_cast<std::uint8_t>(number % 3);
    one.sid = number % 2 == 0 ? number : 0;
    one.qos = qos;
    one.form = form;
    return one;
}

/// May receive below "open/"; below "day/" until 2030.
std::shared_ptr<const AuthContext> rights() {
    static const std::string_view kPolicy = R"({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iot:Receive", "Resource": "arn:aws:iot:eu-west-1:1:topic/open/*"},
        {"Effect": "Allow", "Action": "iot:Receive", "Resource": "arn:aws:iot:eu-west-1:1:topic/day/*",
         "Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}}]})";
    const auto policy =
        std::make_shared<iotsky::acl::Policy>(iotsky::acl::parse_policy(kPolicy).value());
    const std::array policies{iotsky::acl::NamedPolicy{"test", "1", policy}};
    return AuthContext::make(iotsky::acl::compile_service("test", policies).value(), {},
                             std::nullopt);
}

Subscriber checked(std::uint32_t number) {
    Subscriber one = subscriber(number, 1);
    one.receive = ReceiveClass::check;
    one.rights = rights();
    return one;
}

using Key = std::tuple<std::uint8_t, std::uint32_t, std::uint32_t, Form>;

Key key(const iotsky::broker::SessionRef& session, Form form) {
    return {session.thread, session.slot, session.gen, form};
}

/// What an entry must say, by the obvious way: the highest QoS of each session and form.
std::map<Key, std::uint8_t> expected(const TopicIndex& index, std::string_view topic,
                                     RouteStamp& stamp) {
    std::vector<Subscriber> all;
    stamp = index.match(topic, all);
    std::map<Key, std::uint8_t> best;
    for (const Subscriber& one : all) {
        if (!one.masked) {
            std::uint8_t& qos = best.emplace(key(one.session, one.form), one.qos).first->second;
            qos = std::max(qos, one.qos);
        }
    }
    return best;
}

std::map<Key, std::uint8_t> content(const RouteEntry& entry) {
    std::map<Key, std::uint8_t> all;
    for (const Target& target : entry.targets) {
        CHECK(all.emplace(key(target.session, target.form), target.qos).second);
    }
    return all;
}

bool in_order(const RouteEntry& entry) {
    return std::is_sorted(entry.targets.begin(), entry.targets.end(),
                          [](const Target& a, const Target& b) {
                              return key(a.session, a.form) < key(b.session, b.form);
                          });
}

WallTime year(int number) {
    return iotsky::from_unix_s((number - 1970) * std::int64_t{31'556'952});
}

}  // namespace

TEST_SUITE("broker.route_cache") {
    TEST_CASE(
        "[MQTT-3.3.5-1] one target per session and form, at the highest QoS, grouped by thread") {
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            CAPTURE(seed);
            SeededRandom random(seed);
            TopicIndex index;
            RouteCache cache(index, {4, 1U << 20U});
            static constexpr std::array kFilters{"a/b/c", "a/b/+", "a/#", "+/b/c", "#", "a/b/d"};
            static constexpr std::array kTopics{"a/b/c", "a/b/d", "a/x", "q", "a/b", "z/b/c"};
            for (int step = 0; step < 1000; ++step) {
                const char* filter = kFilters.at(random.below(kFilters.size()));
                Subscriber one = subscriber(static_cast<std::uint32_t>(random.below(12)),
                                            static_cast<std::uint8_t>(random.below(3)),
                                            static_cast<Form>(random.below(2)));
                one.masked = random.below(5) == 0;
                if (random.below(2) == 0) {
                    index.insert(filter, one);
                } else {
                    index.erase(filter, one.session, one.form);
                }
                const char* topic = kTopics.at(random.below(kTopics.size()));
                CAPTURE(topic);
                const RouteEntry& entry = cache.find(topic, {});
                RouteStamp stamp;
                CHECK((content(entry) == expected(index, topic, stamp)));
                CHECK(entry.stamp == stamp);
                CHECK(entry.topic == topic);
                CHECK(in_order(entry));
                std::uint8_t best = 0;
                for (const Target& target : entry.targets) {
                    best = std::max(best, target.sid != 0 ? target.qos : std::uint8_t{0});
                }
                CHECK(entry.qos_max_persistent == best);
                CHECK(entry.persistent == (best > 0));
                CHECK(cache.entries() <= 4);
            }
            CHECK(cache.hits() > 0);
        }
    }

    TEST_CASE("an entry is built once and again only when a change can concern it") {
        TopicIndex index;
        RouteCache cache(index, kRoomy);
        index.insert("7b/otter/+", subscriber(1));
        for (int i = 0; i < 3; ++i) {
            CHECK(cache.find("7b/otter/x", {}).targets.size() == 1);
        }
        CHECK(cache.misses() == 1);
        CHECK(cache.hits() == 2);
        index.insert("7b/otter/x", subscriber(2));
        CHECK(cache.find("7b/otter/x", {}).targets.size() == 2);
        index.erase("7b/otter/+", subscriber(1).session, Form::plain);
        CHECK(cache.find("7b/otter/x", {}).targets.size() == 1);
        index.bump_all();
        CHECK(cache.find("7b/otter/x", {}).version == 1);  // the same topic in the same place
        CHECK(cache.misses() == 4);
        CHECK(cache.entries() == 1);
    }

    TEST_CASE("those who may not receive the topic are not in the entry") {
        TopicIndex index;
        RouteCache cache(index, kRoomy);
        Subscriber none = subscriber(5);
        none.receive = ReceiveClass::none;
        Subscriber service = subscriber(7);
        service.receive = ReceiveClass::check;  // without rights: a service of ours
        Subscriber masked = subscriber(9);
        masked.masked = true;
        index.insert("#", checked(1));
        index.insert("#", none);
        index.insert("#", service);
        index.insert("#", masked);
        CHECK(cache.find("open/x", {}).targets.size() == 2);
        CHECK(cache.find("shut/x", {}).targets.size() == 1);
        masked.masked = false;
        index.insert("#", masked);
        CHECK(cache.find("shut/x", {}).targets.size() == 2);
    }

    TEST_CASE("a verdict that depends on the time is asked for each time") {
        TopicIndex index;
        RouteCache cache(index, kRoomy);
        index.insert("#", checked(1));
        const RouteEntry& before = cache.find("day/x", year(2029));
        CHECK_FALSE(before.cacheable);
        CHECK(before.targets.size() == 1);
        CHECK(cache.find("day/x", year(2031)).targets.empty());
        CHECK(cache.entries() == 0);
        CHECK(cache.hits() == 0);
    }

    TEST_CASE("a kept entry goes when its topic's verdict becomes one of the moment") {
        TopicIndex index;
        RouteCache cache(index, kRoomy);
        index.insert("#", subscriber(2));
        CHECK(cache.find("day/x", year(2029)).cacheable);
        CHECK(cache.entries() == 1);
        index.insert("#", checked(1));
        CHECK(cache.find("day/x", year(2029)).targets.size() == 2);
        CHECK(cache.find("day/x", year(2031)).targets.size() == 1);
        CHECK(cache.entries() == 0);
        CHECK(cache.bytes() == 0);
    }

    TEST_CASE("the cache holds neither more entries nor more bytes than it may") {
        TopicIndex index;
        RouteCache::Limits limits{50, 1U << 20U};
        SUBCASE("entries") {}
        SUBCASE("bytes") {
            limits = {10'000, 20'000};
            for (std::uint32_t i = 0; i < 100; ++i) {
                index.insert("t/1/#", subscriber(i));
            }
        }
        SUBCASE("nothing at all") {
            limits.entries_max = 0;
        }
        SUBCASE("less than one entry") {
            limits.bytes_max = 10;
        }
        RouteCache cache(index, limits);
        SeededRandom random(1);
        for (int i = 0; i < 5000; ++i) {
            const std::string topic =
                "t/" + std::to_string(random.below(3)) + "/" + std::to_string(random.below(400));
            const RouteEntry& entry = cache.find(topic, {});
            CHECK(entry.topic == topic);
            CHECK(cache.entries() <= limits.entries_max);
            CHECK(cache.bytes() <= limits.bytes_max);
            if (random.below(20) == 0) {
                index.insert("t/2/#", subscriber(static_cast<std::uint32_t>(random.below(100))));
            }
        }
    }

    TEST_CASE("what is used stays while others pass through") {
        TopicIndex index;
        RouteCache cache(index, {8, 1U << 20U});
        for (int i = 0; i < 1000; ++i) {
            static_cast<void>(cache.find("hot", {}));
            static_cast<void>(cache.find("cold/" + std::to_string(i), {}));
        }
        CHECK(cache.misses() == 1001);
    }

    TEST_CASE("a place that gets another topic gets another version") {
        TopicIndex index;
        RouteCache cache(index, {1, 1U << 20U});
        CHECK(cache.find("a", {}).version == 1);
        CHECK(cache.find("b", {}).version == 2);
        CHECK(cache.find("b", {}).version == 2);
        CHECK(cache.find("a", {}).version == 3);
    }

    TEST_CASE("an entry with the stamp of now says what is so now, whatever is changed meanwhile") {
        TopicIndex index;
        std::atomic<bool> stop{false};
        std::vector<std::thread> writers;
        for (std::uint32_t id = 1; id <= 2; ++id) {
            writers.emplace_back([&index, &stop, id] {
                SeededRandom random(id);
                while (!stop.load(std::memory_order_relaxed)) {
                    static constexpr std::array kFilters{"7b/otter/a", "7b/otter/+", "7b/#",
                                                         "+/otter/a"};
                    const char* filter = kFilters.at(random.below(kFilters.size()));
                    const Subscriber one =
                        subscriber(id, static_cast<std::uint8_t>(random.below(3)));
                    if (random.below(3) == 0) {
                        index.erase(filter, one.session, one.form);
                    } else {
                        index.insert(filter, one);
                    }
                    for (auto pause = random.below(3000); pause > 0; --pause) {
                        static_cast<void>(stop.load(std::memory_order_relaxed));
                    }
                }
            });
        }
        RouteCache cache(index, kRoomy);
        int same = 0;
        int stale = 0;
        for (int i = 0; i < 20'000; ++i) {
            const RouteEntry& entry = cache.find("7b/otter/a", {});
            RouteStamp stamp;
            const auto now = expected(index, "7b/otter/a", stamp);
            if (entry.stamp == stamp) {
                ++same;
                stale += content(entry) == now ? 0 : 1;
            }
        }
        stop.store(true);
        for (std::thread& writer : writers) {
            writer.join();
        }
        CHECK(same > 0);
        CHECK(stale == 0);
        CHECK(cache.hits() > 0);
    }
}
