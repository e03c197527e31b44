// Random sequences without a fuzzer's help (tests/fuzz/broker_fuzz.cpp has it), and that the checks
// can fail.
#include "tests/simulation/sequence/sequence.hpp"

#include <doctest/doctest.h>

#include <exception>
#include <initializer_list>
#include <span>
#include <vector>

#include "base/random.hpp"

using namespace iotsky;
using namespace iotsky::simulation;

namespace {

/// Noise, or clients with subscriptions that go on more sensibly than noise: see Sequence::step and
/// Link::send for what the bytes mean.
std::vector<std::uint8_t> input_of(std::uint64_t seed) {
    SeededRandom random(seed);
    const auto below = [&](unsigned n) { return static_cast<std::uint8_t>(random.below(n)); };
    const auto options = static_cast<std::uint8_t>(seed % 2 == 0 ? 0 : below(128));
    std::vector<std::uint8_t> input{below(3), 1, options};
    if (seed % 4 == 0) {
        input.resize(1500);
        random.fill(std::as_writable_bytes(std::span{input}));
        return input;
    }
    const auto add = [&](std::initializer_list<std::uint8_t> bytes) {
        input.insert(input.end(), bytes);
    };
    while (input.size() < 1500) {
        const std::uint8_t link = below(3);
        switch (below(20)) {
            case 0:  // open, CONNECT, SUBSCRIBE to all at QoS 2
                add({0, link, below(3), 13, link, 0, std::uint8_t(4U | link)});
                add({13, link, 1, 3, 2});
                break;
            case 1:
                add({below(16), below(256), below(256)});
                break;
            case 2:
                add({7, below(16)});  // the reader, or a crash
                break;
            case 3:
            case 4:
            case 5:
                add({13, link, 3, std::uint8_t(below(12) | below(2) << 4U), 'x', below(4)});
                break;
            case 6:
            case 7:
            case 8:
                add({13, link, std::uint8_t(6 + below(4)), below(160)});
                break;
            case 9:
                add({5});
                break;
            case 10:
            case 11:
                add({8});
                break;
            default:
                add({10, below(3)});
        }
    }
    return input;
}

std::string play(std::uint64_t seed, LogFault fault) {
    try {
        return play_sequence(input_of(seed), fault);
    } catch (const std::exception& error) {  // the tables of a disk that lost something
        return error.what();
    }
}

/// How many of the first seeds show that something does not hold.
unsigned shown(unsigned seeds, LogFault fault) {
    unsigned found = 0;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        found += play(seed, fault).empty() ? 0U : 1U;
    }
    return found;
}

}  // namespace

TEST_SUITE("simulation.sequence") {
    TEST_CASE("whatever comes in whatever order, what a client hears is true") {
        for (std::uint64_t seed = 1; seed <= 400; ++seed) {
            CAPTURE(seed);
            const std::string fault = play(seed, LogFault::none);
            INFO(fault);
            REQUIRE(fault.empty());
        }
    }

    TEST_CASE("the check can fail: gates that open when a batch is appended") {
        CHECK(shown(200, LogFault::early_durable) > 0);
    }
    TEST_CASE("the check can fail: a failed commit that is forgotten") {
        CHECK(shown(400, LogFault::drop_on_error) > 0);
    }
    TEST_CASE("the check can fail: PUBLISH at QoS 2 before its identifier is on disk") {
        CHECK(shown(400, LogFault::late_sent) > 0);
    }
    TEST_CASE("the check can fail: PUBREL before PUBREC is on disk") {
        CHECK(shown(1500, LogFault::late_received) > 0);
    }
    TEST_CASE("the check can fail: PUBCOMP before the release is on disk") {
        CHECK(shown(400, LogFault::late_release) > 0);
    }
    TEST_CASE("the check can fail: PUBREC before the inbound identifier is on disk") {
        CHECK(shown(400, LogFault::late_inbound) > 0);
    }
}
