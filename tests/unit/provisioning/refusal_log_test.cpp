#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "provisioning/refusal_log.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;

namespace {

Refusal refusal(const std::string& thing, const std::string& topic, std::int64_t at = 1000) {
    Refusal r;
    r.at = from_unix_s(at);
    r.number = "E3101";
    r.action = "publish";
    r.thing_id = thing;
    r.class_name = "7b";
    r.topic = topic;
    r.address = "10.20.3.41:50112";
    return r;
}

}  // namespace

TEST_SUITE("provisioning.refusal_log") {
    TEST_CASE("equal refusals are folded and counted, others are kept, newest first") {
        RefusalLog log;
        log.add(refusal("th_a", "x", 1000));
        log.add(refusal("th_a", "y", 1001));
        log.add(refusal("th_a", "x", 1002));
        const auto found = log.list({});
        REQUIRE(found.size() == 2);
        CHECK(found[0].topic == "x");
        CHECK(found[0].count == 2);
        CHECK(found[0].at == from_unix_s(1002));
        CHECK(found[1].topic == "y");
        CHECK(log.total() == 3);
        log.add(refusal("th_a", "x", 1002 + 60));
        CHECK(log.list({}).size() == 3);
    }

    TEST_CASE("they can be asked for by thing, by class and after a number") {
        RefusalLog log;
        log.add(refusal("th_a", "x"));
        log.add(refusal("th_b", "x"));
        Refusal other = refusal("", "x");
        other.class_name = "";
        log.add(other);
        CHECK(log.list({"th_a", "", 0, 10}).size() == 1);
        CHECK(log.list({"", "7b", 0, 10}).size() == 2);
        CHECK(log.list({"", "", 2, 10}).size() == 1);
        CHECK(log.list({"", "", 0, 1}).size() == 1);
    }

    TEST_CASE("one noisy thing pushes out its own refusals only") {
        RefusalLog log({5, 100, std::chrono::seconds{60}});
        log.add(refusal("th_quiet", "x"));
        for (int i = 0; i < 1000; ++i) {
            log.add(refusal("th_loud", std::to_string(i)));
        }
        CHECK(log.list({"th_loud", "", 0, 100}).size() == 5);
        CHECK(log.list({"th_loud", "", 0, 100})[0].topic == "999");
        CHECK(log.list({"th_quiet", "", 0, 100}).size() == 1);
    }

    TEST_CASE("all together stay below the limit, also from ever new addresses") {
        RefusalLog log({50, 200, std::chrono::seconds{60}});
        for (int i = 0; i < 2000; ++i) {
            Refusal r = refusal("", "x");
            r.address = "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":1";
            r.client_id = std::to_string(i);
            log.add(r);
        }
        CHECK(log.list({"", "", 0, 10'000}).size() == 200);
        CHECK(log.total() == 2000);
    }

    TEST_CASE("any thread may add and list") {
        RefusalLog log;
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&log, t] {
                for (int i = 0; i < 500; ++i) {
                    log.add(refusal("th_" + std::to_string(t), std::to_string(i % 7)));
                    static_cast<void>(log.list({"", "7b", 0, 5}));
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        CHECK(log.total() == 2000);
        CHECK(log.list({"", "", 0, 1000}).size() == 28);
    }
}
