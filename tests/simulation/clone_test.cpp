// Two boards with one certificate and one sketch (`product.md` U5): they do not fight for ever, and
// both are told.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;
using namespace std::chrono_literals;
using broker::ShardStats;

namespace {

constexpr const char* kA = "10.20.3.41";
constexpr const char* kB = "10.20.3.57";

struct Fixture {
    explicit Fixture(const broker::Options& options = {}) : world(1, 2, LogFault::none, options) {
        world.reconnect = false;
        world.directory().set_thing("th_otter", {"7b", "otter", "weather", false});
    }
    Client& board() { return world.add({"weather", "th_otter", true, {{"$me/notice", 0}}}); }
    /// Connects it and says whether it was let in.
    bool let_in(Client& client, const char* address) {
        client.connack.reset();
        world.connect(client, "sim", address);
        REQUIRE(world.settle());
        return client.connack == 0;
    }
    /// Both boards come back one second after they were closed, for so many seconds.
    void fight(Client& a, Client& b, int seconds) {
        for (int i = 0; i < seconds; ++i) {
            if (!a.connected()) {
                (void)let_in(a, kA);
            }
            world.advance(500ms);
            if (!b.connected()) {
                (void)let_in(b, kB);
            }
            world.advance(500ms);
        }
    }
    std::uint64_t take_overs() { return world.broker().total(&ShardStats::take_overs_clone); }

    World world;
};

broker::Options first_stays() {
    broker::Options options;
    options.limits.clone_stays = broker::CloneStays::first;
    return options;
}

}  // namespace

TEST_SUITE("simulation.clone") {
    TEST_CASE("after three take-overs in 30 s the newest stays, the other one gets 2") {
        Fixture f;
        Client& a = f.board();
        Client& b = f.board();
        f.fight(a, b, 20);
        CHECK(f.take_overs() == 3);
        CHECK(b.connected());
        CHECK_FALSE(a.connected());
        CHECK(a.connack == 2);
        CHECK(f.world.broker().total(&ShardStats::clones_refused) > 10);
    }

    TEST_CASE("both are told, with both addresses") {
        Fixture f;
        Client& a = f.board();
        Client& b = f.board();
        f.fight(a, b, 10);
        const auto told = [&](const char* what) {
            return std::any_of(f.world.refusals.begin(), f.world.refusals.end(),
                               [&](const auto& refusal) {
                                   return refusal.number == "E3301" && refusal.what == what;
                               });
        };
        CHECK(told("clone"));
        CHECK(told("connect"));
        const auto notice =
            std::find_if(b.deliveries.begin(), b.deliveries.end(), [](const auto& delivery) {
                return delivery.payload.find("E3301") != std::string::npos;
            });
        REQUIRE(notice != b.deliveries.end());
        CHECK(notice->payload.find(
                  "Two boards use the identity 7b/otter/weather (10.20.3.57 and 10.20.3.41). Only "
                  "the newest stays.") != std::string::npos);
    }

    TEST_CASE("clone_stays = first keeps the one that was there before") {
        Fixture f(first_stays());
        Client& a = f.board();
        Client& b = f.board();
        f.fight(a, b, 20);
        CHECK(f.take_overs() == 2);
        CHECK(a.connected());
        CHECK(b.connack == 2);
        // The first comes back from a pause in which the other got in.
        a.lose_connection();
        REQUIRE(f.world.settle());
        CHECK(f.let_in(b, kB));
        CHECK(f.let_in(a, kA));
        CHECK_FALSE(f.let_in(b, kB));
        CHECK(a.connected());
    }

    TEST_CASE("the refused one is let in when the other has left, and when it has been quiet") {
        Fixture f;
        Client& a = f.board();
        Client& b = f.board();
        f.fight(a, b, 10);
        CHECK_FALSE(f.let_in(a, kA));
        b.lose_connection();
        REQUIRE(f.world.settle());
        CHECK(f.let_in(a, kA));
        CHECK_FALSE(f.let_in(b, kB));  // the fight is not over
        f.world.advance(29s);
        CHECK_FALSE(f.let_in(b, kB));
        f.world.advance(30s);
        CHECK(f.let_in(b, kB));
        CHECK_FALSE(a.connected());
    }

    TEST_CASE("a board that resets takes over from itself as often as it likes") {
        Fixture f;
        for (int i = 0; i < 20; ++i) {
            CHECK(f.let_in(f.board(), kA));
            f.world.advance(1s);
        }
        CHECK(f.take_overs() == 0);
        CHECK(f.world.broker().total(&ShardStats::take_overs_same_board) == 19);
        CHECK(f.world.broker().total(&ShardStats::clones_refused) == 0);
    }

    TEST_CASE("take-overs that are rarer than the window are no fight") {
        Fixture f;
        Client& a = f.board();
        Client& b = f.board();
        for (int i = 0; i < 6; ++i) {
            CHECK(f.let_in(a, kA));
            f.world.advance(16s);
            CHECK(f.let_in(b, kB));
            f.world.advance(16s);
        }
        CHECK(f.take_overs() == 11);
    }

    TEST_CASE("takeovers_max = 0 lets them fight") {
        broker::Options options;
        options.limits.takeovers_max = 0;
        Fixture f(options);
        Client& a = f.board();
        Client& b = f.board();
        f.fight(a, b, 10);
        CHECK(f.take_overs() == 19);
    }
}
