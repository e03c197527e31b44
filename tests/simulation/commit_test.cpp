// Commit before acknowledge under crashes, drops and failing commits (`dataplane.md` 2):
// acknowledged is kept, QoS 2 comes once, order holds.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;

namespace {

struct Outcome {
    unsigned lost = 0;
    unsigned twice = 0;
    unsigned order = 0;
    unsigned stuck = 0;
    unsigned rows_left = 0;
    unsigned crashes = 0;
    unsigned delivered = 0;
};

unsigned number_of(const std::string& payload) {
    return static_cast<unsigned>(std::stoul(payload.substr(payload.find(':') + 1)));
}

void judge(const Client& publisher, const Client& subscriber, bool exactly_once, Outcome& outcome) {
    std::map<unsigned, unsigned> times;
    unsigned last = 0;
    for (const auto& delivery : subscriber.deliveries) {
        if (!delivery.payload.starts_with(publisher.options().id + ":")) {
            continue;
        }
        const unsigned number = number_of(delivery.payload);
        // [MQTT-4.6.0-6]: first deliveries come in the order of publication.
        if (++times[number] == 1) {
            outcome.order += number < last ? 1U : 0U;
            last = number;
        }
        outcome.twice += exactly_once && times[number] > 1 ? 1U : 0U;
        ++outcome.delivered;
    }
    for (const unsigned number : publisher.acknowledged) {
        outcome.lost += times.contains(number) ? 0U : 1U;
    }
}

Outcome run(std::uint64_t seed, std::uint8_t qos, LogFault fault, bool crashes) {
    World world(seed, 3, fault);
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
    Outcome outcome;
    outcome.stuck += world.settle() ? 0U : 1U;
    for (Client* publisher : publishers) {
        outcome.stuck += publisher->finished() ? 0U : 1U;
        for (Client* subscriber : subscribers) {
            judge(*publisher, *subscriber, qos == 2, outcome);
        }
    }
    outcome.rows_left =
        static_cast<unsigned>(world.log().tables().queue_rows() + world.log().tables().messages());
    outcome.crashes = world.crashes();
    return outcome;
}

Outcome total(unsigned seeds, std::uint8_t qos, LogFault fault, bool crashes) {
    Outcome sum;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        CAPTURE(seed);
        const Outcome one = run(seed, qos, fault, crashes);
        if (fault == LogFault::none) {
            CHECK(one.lost == 0);
            CHECK(one.twice == 0);
            CHECK(one.order == 0);
            CHECK(one.stuck == 0);
            CHECK(one.rows_left == 0);
        }
        sum.lost += one.lost;
        sum.twice += one.twice;
        sum.order += one.order;
        sum.crashes += one.crashes;
        sum.delivered += one.delivered;
    }
    return sum;
}

}  // namespace

TEST_SUITE("simulation.commit") {
    TEST_CASE("QoS 1: nothing acknowledged is lost over crashes, drops and failing commits") {
        const Outcome sum = total(150, 1, LogFault::none, true);
        CHECK(sum.crashes > 100);
        CHECK(sum.delivered > 3000);
    }

    TEST_CASE("[MQTT-4.3.3-1] [MQTT-4.3.3-2] QoS 2: nothing is lost and nothing comes twice") {
        const Outcome sum = total(150, 2, LogFault::none, true);
        CHECK(sum.crashes > 100);
        CHECK(sum.delivered > 3000);
    }

    TEST_CASE("the check can fail: acknowledging before the commit loses messages") {
        CHECK(total(60, 1, LogFault::early_durable, true).lost > 0);
        const Outcome qos2 = total(60, 2, LogFault::early_durable, true);
        CHECK(qos2.lost + qos2.twice > 0);
    }

    TEST_CASE("the check can fail: dropping a batch on a commit error loses messages") {
        CHECK(total(60, 1, LogFault::drop_on_error, true).lost > 0);
    }
}
