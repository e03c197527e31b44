// Commit before acknowledge under crashes, drops and failing commits (`dataplane.md` 2):
// acknowledged is kept, QoS 2 comes once, order holds.
#include <doctest/doctest.h>

#include <string>

#include "tests/simulation/tally.hpp"
#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;

namespace {

struct Run : Outcome {
    unsigned stuck = 0;
    unsigned rows_left = 0;
    unsigned crashes = 0;
};

/// Windows and memory so small that most of a queue is on disk alone.
broker::Options small_memory() {
    broker::Options options;
    options.limits.inflight_max = 2;
    options.limits.queue_memory_bytes_max = 200;
    return options;
}

Run run(std::uint64_t seed, std::uint8_t qos, LogOptions log, bool crashes) {
    World world(seed, 3, log, seed % 2 == 0 ? small_memory() : broker::Options{});
    std::vector<Client*> publishers;
    std::vector<Client*> subscribers;
    for (int i = 0; i < 2; ++i) {
        const std::string n = std::to_string(i);
        subscribers.push_back(
            &world.add({"sub" + n, "u" + n, false, {{"t/#", qos}, {"t/" + n, qos}}}));
        ClientOptions publisher{"pub" + n, "p" + n, false, {}, "t/" + n, qos};
        publisher.messages = 12;
        publishers.push_back(&world.add(publisher));
    }
    // Nobody publishes before the subscriptions are durable: "persistent subscriber" begins there.
    for (int i = 0; i < 3000 && !(subscribers[0]->subscribed && subscribers[1]->subscribed); ++i) {
        (void)world.log().step();
        for (Client* subscriber : subscribers) {
            if (!subscriber->connected()) {
                world.connect(*subscriber);
            }
            (void)subscriber->step();
        }
        world.turns(1);
    }
    Chances chances;
    chances.drop_per_mille = 8;
    chances.crash_per_mille = crashes ? 5 : 0;
    chances.crashes_max = 3;
    chances.commit_error_per_mille = 30;
    world.run(1500, chances);
    Run outcome;
    // No answer waits for the timer of the log: what is waited for is due at once.
    outcome.stuck += world.settle_without_timer() ? 0U : 1U;
    for (const Client* publisher : publishers) {
        outcome.stuck += publisher->finished() ? 0U : 1U;
    }
    outcome.stuck += world.settle() ? 0U : 1U;
    for (Client* publisher : publishers) {
        for (Client* subscriber : subscribers) {
            outcome.add(*publisher, *subscriber, qos == 2);
        }
    }
    outcome.rows_left =
        static_cast<unsigned>(world.log().tables().queue_rows() + world.log().tables().messages());
    outcome.crashes = world.crashes();
    return outcome;
}

Run total(unsigned seeds, std::uint8_t qos, LogOptions log, bool crashes) {
    Run sum;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        log.thread = static_cast<broker::ThreadId>(seed % 3);
        const Run one = run(seed, qos, log, crashes);
        if (log.fault == LogFault::none) {
            CHECK(one.lost == 0);
            CHECK(one.twice == 0);
            CHECK(one.order == 0);
            CHECK(one.stuck == 0);
            CHECK(one.rows_left == 0);
        }
        sum.lost += one.lost;
        sum.twice += one.twice;
        sum.order += one.order;
        sum.rows_left += one.rows_left;
        sum.crashes += one.crashes;
        sum.delivered += one.delivered;
    }
    return sum;
}

}  // namespace

TEST_SUITE("simulation.commit") {
    TEST_CASE("QoS 1: nothing acknowledged is lost over crashes, drops and failing commits") {
        const Run sum = total(150, 1, LogFault::none, true);
        CHECK(sum.crashes > 100);
        CHECK(sum.delivered > 3000);
    }

    TEST_CASE("[MQTT-4.3.3-1] [MQTT-4.3.3-2] QoS 2: nothing is lost and nothing comes twice") {
        const Run sum = total(150, 2, LogFault::none, true);
        CHECK(sum.crashes > 100);
        CHECK(sum.delivered > 3000);
    }

    TEST_CASE("a batch that nobody waited for is due at once when an answer comes to wait for it") {
        World world(3, 2);
        world.reconnect = false;
        Client& subscriber = world.add({"sub", "s", false, {{"t", 1}}});
        world.connect(subscriber);
        REQUIRE(world.settle());
        ClientOptions options{"pub", "p", true, {}, "t", 1};
        options.messages = 1;
        Client& publisher = world.add(options);
        world.connect(publisher);
        REQUIRE(world.settle_without_timer());
        CHECK(subscriber.deliveries.size() == 1);
        CHECK_FALSE(world.log().idle());  // its PUBACK: nobody is told that it is durable
        CHECK_FALSE(world.log().due());
        // CONNACK may say that the session is there only when all of it is durable.
        subscriber.lose_connection();
        world.turns();
        subscriber.connack.reset();
        world.connect(subscriber);
        REQUIRE(world.settle_without_timer());
        CHECK(subscriber.connack.has_value());
        CHECK(world.log().idle());
    }

    TEST_CASE("the check can fail: acknowledging before the commit loses messages") {
        CHECK(total(60, 1, LogFault::early_durable, true).lost > 0);
        const Run qos2 = total(60, 2, LogFault::early_durable, true);
        CHECK(qos2.lost + qos2.twice > 0);
    }

    TEST_CASE("the check can fail: dropping a batch on a commit error loses messages") {
        CHECK(total(60, 1, LogFault::drop_on_error, true).lost > 0);
    }

    TEST_CASE("the fold, the transactions and the recovery of messages.db keep every promise") {
        LogOptions real;
        real.real_disk = true;
        for (const std::uint8_t qos : {std::uint8_t{1}, std::uint8_t{2}}) {
            const Run sum = total(40, qos, real, true);
            CHECK(sum.crashes > 40);
            CHECK(sum.delivered > 800);
        }
    }

    TEST_CASE("the check can fail: PUBLISH at QoS 2 before its identifier is durable comes twice") {
        CHECK(total(60, 2, LogFault::late_sent, true).twice > 0);
    }

    TEST_CASE("the check can fail: PUBREL before PUBREC is durable brings the message twice") {
        CHECK(total(60, 2, LogFault::late_received, true).twice > 0);
    }

    TEST_CASE("the check can fail: PUBCOMP before the release is durable loses the next message") {
        CHECK(total(60, 2, LogFault::late_release, true).lost > 0);
    }

    TEST_CASE("the check can fail: an identifier apart from its message brings it twice") {
        CHECK(total(60, 2, LogFault::late_inbound, true).twice > 0);
    }

    TEST_CASE("the check can fail: references apart from their message lose it") {
        CHECK(total(60, 1, LogFault::late_targets, true).lost > 0);
        CHECK(total(60, 2, LogFault::late_targets, true).lost > 0);
    }

    TEST_CASE("the check can fail: a page that is read too early loses messages") {
        CHECK(total(200, 1, LogFault::early_read, true).lost > 0);
    }

    TEST_CASE("the check can fail: mail before the append leaves rows that come again") {
        CHECK(total(60, 1, LogFault::late_thread, true).rows_left > 0);
        const Run qos2 = total(60, 2, LogFault::late_thread, true);
        CHECK(qos2.twice + qos2.rows_left > 0);
    }
}
