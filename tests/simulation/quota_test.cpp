// Quotas of queued messages beyond one session's: of a project and of the broker, at the limit.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;
using broker::QueueFull;
using broker::ShardStats;

namespace {

constexpr std::size_t kPayload = 1'000;
constexpr std::size_t kQuota = 20'000;  // less than 20 messages

const broker::ThingLimits kLimits{100'000, 100'000, 100'000, 100, 1U << 20U};

acl::ClassRights rights(const std::string& project, const std::string& thing) {
    return {"7b", project, thing, false};
}

struct School {
    explicit School(broker::Options options, unsigned threads = 2, LogOptions log = {})
        : world(1, threads, log, std::move(options)) {
        world.reconnect = false;
        for (const char* project : {"otter", "heron"}) {
            for (const char* thing : {"a", "b", "writer"}) {
                world.directory().set_thing(std::string{project} + "_" + thing,
                                            rights(project, thing), kLimits);
            }
        }
    }
    /// A persistent subscriber of its project that went away.
    Client& away(const std::string& thing, const std::string& project) {
        Client& client =
            connected(world, {thing, project + "_" + thing, false, {{"7b/" + project + "/#", 1}}});
        client.disconnect_cleanly();
        REQUIRE(world.settle());
        return client;
    }
    Client& publish(const std::string& project, unsigned messages, unsigned window = 4) {
        ClientOptions options{"w" + std::to_string(++writers),
                              project + "/writer",
                              true,
                              {},
                              "7b/" + project + "/writer/x",
                              1};
        options.messages = messages;
        options.payload_bytes = kPayload;
        options.window = window;
        options.packet_ids = 2 * window;
        return connected(world, options);
    }
    std::size_t queued() { return world.broker().total(&ShardStats::queued_bytes); }
    std::size_t take(Client& client) {
        client.deliveries.clear();
        world.connect(client);
        REQUIRE(world.settle());
        return client.deliveries.size();
    }

    World world;
    int writers = 0;
};

broker::Options per_project(QueueFull what) {
    broker::Options options;
    options.limits.queue_bytes_per_project_max = kQuota;
    options.limits.queue_full = what;
    return options;
}

broker::Options per_broker(QueueFull what) {
    broker::Options options;
    options.limits.queue_bytes_broker_max = kQuota;
    options.limits.queue_full = what;
    return options;
}

}  // namespace

TEST_SUITE("simulation.quota") {
    TEST_CASE("drop_newest: the sessions of a project share its quota, another has its own") {
        School school(per_project(QueueFull::drop_newest));
        Client& a = school.away("a", "otter");
        Client& b = school.away("b", "otter");
        Client& other = school.away("a", "heron");
        CHECK(school.publish("otter", 30).finished());
        CHECK(school.queued() <= kQuota);
        CHECK(school.queued() > kQuota - 2 * (kPayload + 200));
        CHECK(school.world.broker().total(&ShardStats::dropped_quota) > 0);
        CHECK(told(school.world, "E3403") > 0);
        CHECK(school.world.refusals.back().rule == "queue_bytes_per_project_max");
        CHECK(school.publish("heron", 10).finished());
        CHECK(school.take(other) == 10);
        const std::size_t of_a = school.take(a);
        const std::size_t of_b = school.take(b);
        CHECK(of_a + of_b < 20);
        CHECK(of_a > 5);
        CHECK(of_b > 5);
        CHECK(a.deliveries.front().payload.starts_with("w1:0"));
        // Room again.
        a.disconnect_cleanly();
        b.disconnect_cleanly();
        REQUIRE(school.world.settle());
        CHECK(school.queued() == 0);
        CHECK(school.publish("otter", 5).finished());
        CHECK(school.take(a) == 5);
    }

    TEST_CASE("drop_newest: the whole broker has a quota") {
        School school(per_broker(QueueFull::drop_newest));
        Client& a = school.away("a", "otter");
        Client& b = school.away("a", "heron");
        CHECK(school.publish("otter", 15).finished());
        CHECK(school.publish("heron", 15).finished());
        CHECK(school.queued() <= kQuota);
        CHECK(school.world.refusals.back().rule == "queue_bytes_broker_max");
        CHECK(school.take(a) == 15);
        CHECK(school.take(b) < 10);
    }

    TEST_CASE("a client that is here and keeps up is not held up by the queues of others") {
        School school(per_broker(QueueFull::drop_newest));
        (void)school.away("a", "otter");
        CHECK(school.publish("otter", 30).finished());  // no room for one more
        Client& here = connected(school.world, {"b", "otter_b", false, {{"7b/otter/#", 1}}});
        const auto before = school.world.broker().total(&ShardStats::dropped_quota);
        CHECK(school.publish("otter", 60).finished());
        CHECK(school.world.broker().total(&ShardStats::dropped_quota) > before);
        CHECK(here.deliveries.size() == 60);
    }

    TEST_CASE("drop_oldest: a session gives up what a new message takes, in memory and on disk") {
        for (const bool on_disk : {false, true}) {
            CAPTURE(on_disk);
            LogOptions log;
            log.keeps_queues = on_disk;
            School school(per_project(QueueFull::drop_oldest), 1, log);
            Client& a = school.away("a", "otter");
            Client& b = school.away("b", "otter");
            CHECK(school.publish("otter", 60).finished());
            REQUIRE(school.world.settle());
            CHECK(school.queued() <= kQuota);
            CHECK(school.queued() > kQuota - 4 * (kPayload + 200));  // no more than was asked for
            CHECK(school.world.refusals.back().rule == "queue_bytes_per_project_max");
            const std::size_t of_a = school.take(a);
            CHECK(of_a > 0);
            CHECK(of_a < 60);
            CHECK(a.deliveries.back().payload.starts_with("w1:59"));
            const std::size_t of_b = school.take(b);
            CHECK(of_b > 0);
            CHECK(b.deliveries.back().payload.starts_with("w1:59"));
        }
    }

    TEST_CASE("drop_oldest: a burst makes a session give up no more than what it takes in") {
        School school(per_project(QueueFull::drop_oldest), 1);
        school.world.reads_all = true;
        Client& a = school.away("a", "otter");
        CHECK(school.publish("otter", 15).finished());
        const std::size_t before = school.queued();
        CHECK(school.publish("otter", 200, 200).finished());  // far more than a page may be late
        CHECK(school.queued() > before / 2);
        CHECK(school.take(a) > 5);
    }

    TEST_CASE("refuse: who publishes to a full project is turned away until there is room") {
        School school(per_project(QueueFull::refuse));
        Client& a = school.away("a", "otter");
        Client& writer = school.publish("otter", 60);
        CHECK_FALSE(writer.finished());
        CHECK_FALSE(writer.connected());
        CHECK(told(school.world, "E3407") == 1);
        CHECK(school.world.broker().total(&ShardStats::dropped_quota) == 0);
        const std::size_t taken = school.take(a);
        CHECK(taken >= writer.acknowledged.size());
        a.disconnect_cleanly();
        REQUIRE(school.world.settle());
        school.world.advance(std::chrono::seconds{2});
        school.world.turns();
        CHECK(school.publish("otter", 3).finished());
    }

    TEST_CASE("refuse: a session that ends while others fill its quota leaves no mark behind") {
        School school(per_project(QueueFull::refuse), 1);
        std::vector<Client*> sleepers;
        for (int i = 0; i < 6; ++i) {
            sleepers.push_back(&connected(
                school.world, {"s" + std::to_string(i), "otter_a", false, {{"7b/otter/#", 1}}}));
            sleepers.back()->disconnect_cleanly();
            REQUIRE(school.world.settle());
        }
        CHECK_FALSE(school.publish("otter", 60).finished());
        for (const Client* sleeper : sleepers) {  // the first ends while the rest fill the quota
            Client& clean = connected(school.world, {sleeper->options().id, "otter_a", true});
            clean.disconnect_cleanly();
            REQUIRE(school.world.settle());
        }
        CHECK(school.queued() == 0);
        for (Client* sleeper : sleepers) {  // new sessions, in the slots of the old ones
            school.world.connect(*sleeper);
            REQUIRE(school.world.settle());
        }
        CHECK(school.publish("otter", 3).finished());
    }

    TEST_CASE("refuse: room that age has made is seen") {
        broker::Options options = per_project(QueueFull::refuse);
        options.limits.queue_bytes_per_project_max = 0;
        options.limits.queue_bytes_max = kQuota;
        options.limits.queue_age_max = std::chrono::seconds{320};
        School school(options, 1);
        (void)school.away("a", "otter");
        CHECK_FALSE(school.publish("otter", 60).finished());
        for (int i = 0; i < 80; ++i) {
            school.world.advance(std::chrono::seconds{10});
            school.world.turns();
        }
        REQUIRE(school.world.settle());
        CHECK(school.queued() == 0);
        CHECK(school.publish("otter", 3).finished());
    }

    TEST_CASE(
        "what waited too long is dropped, counted and told: in memory, on disk, at both ends") {
        for (const auto& [on_disk, threads] :
             {std::pair{false, 2U}, std::pair{true, 1U}, std::pair{true, 2U}}) {
            CAPTURE(on_disk);
            CAPTURE(threads);
            LogOptions log;
            log.keeps_queues = on_disk;
            broker::Options options;
            options.limits.queue_age_max = std::chrono::seconds{3'200};
            School school(options, threads, log);
            Client& a = school.away("a", "otter");
            const auto pass = [&](std::chrono::seconds time) {
                for (auto done = std::chrono::seconds{0}; done < time;
                     done += std::chrono::seconds{50}) {
                    school.world.advance(std::chrono::seconds{50});
                    school.world.turns();
                }
                REQUIRE(school.world.settle());
            };
            CHECK(school.publish("otter", 10).finished());
            pass(std::chrono::seconds{1'600});
            CHECK(school.publish("otter", 5).finished());
            pass(std::chrono::seconds{1'500});
            CHECK(school.world.broker().total(&ShardStats::queued_messages) == 15);
            pass(std::chrono::seconds{300});
            // Nobody came, and what was old is gone all the same.
            CHECK(school.world.broker().total(&ShardStats::queued_messages) == 5);
            CHECK(school.world.broker().total(&ShardStats::dropped_expired) == 10);
            CHECK(told(school.world, "E3413") > 0);
            pass(std::chrono::seconds{250});  // what is left is looked at again
            CHECK(school.world.broker().total(&ShardStats::queued_messages) == 5);
            CHECK(school.take(a) == 5);
            CHECK(a.deliveries.front().payload.starts_with("w2:0"));
        }
    }

    TEST_CASE("after a restart what waited counts from then on") {
        broker::Options options;
        options.limits.queue_age_max = std::chrono::seconds{1'000};
        School school(options, 2);
        Client& a = school.away("a", "otter");
        CHECK(school.publish("otter", 10).finished());
        school.world.advance(std::chrono::seconds{900});
        school.world.crash(true);
        school.world.turns();
        school.world.advance(std::chrono::seconds{900});
        school.world.turns();
        REQUIRE(school.world.settle());
        CHECK(school.world.broker().total(&ShardStats::queued_messages) == 10);
        school.world.advance(std::chrono::seconds{150});
        school.world.turns();
        REQUIRE(school.world.settle());
        CHECK(school.world.broker().total(&ShardStats::queued_messages) == 0);
        CHECK(school.take(a) == 0);
    }

    TEST_CASE("after a restart queues count for their projects as before") {
        School school(per_project(QueueFull::drop_newest));
        Client& a = school.away("a", "otter");
        CHECK(school.publish("otter", 30).finished());
        const std::size_t before = school.queued();
        school.world.crash(true);
        REQUIRE(school.world.settle());
        CHECK(school.queued() == before);
        CHECK(school.publish("otter", 5).finished());
        CHECK(school.queued() == before);
        CHECK(school.take(a) < 20);
    }
}
