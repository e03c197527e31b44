// Random scripts of clients, crashes and time, played with the broker and with a reference of 300
// lines: whatever a client hears must be what the reference expects. A failure prints the seed and
// the shortest script that still fails. IOTSKY_MODEL_SECONDS: play new seeds for so long instead.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "tests/simulation/model/trial.hpp"

using namespace iotsky;
using namespace iotsky::simulation;

namespace {

constexpr std::size_t kActions = 120;

Setting setting_of(std::uint64_t seed) {
    Setting setting;
    setting.seed = seed;
    setting.small_memory = seed % 2 == 0;
    setting.log.real_disk = seed % 8 == 0;
    return setting;
}

std::string found_with(const Setting& setting) {
    return Trial(setting).play(random_script(setting.seed, kActions));
}

/// Empty, or the story of the failure.
std::string story(const Setting& setting) {
    if (found_with(setting).empty()) {
        return "";
    }
    const Script script = shrink(setting, random_script(setting.seed, kActions));
    return "seed " + std::to_string(setting.seed) + ", " + std::to_string(script.size()) +
           " actions left of " + std::to_string(kActions) + ":\n" + text(script) +
           Trial(setting).play(script);
}

/// The first seed at which the setting fails, and how few actions show it.
struct Shown {
    std::uint64_t seed = 0;
    std::size_t actions = 0;
};

Shown first_failure(Setting setting, unsigned seeds) {
    for (setting.seed = 1; setting.seed <= seeds; ++setting.seed) {
        if (!found_with(setting).empty()) {
            return {setting.seed, shrink(setting, random_script(setting.seed, kActions)).size()};
        }
    }
    return {};
}

}  // namespace

TEST_SUITE("simulation.model") {
    TEST_CASE("the broker does what the reference says, whatever clients do and when it crashes") {
        const char* seconds = std::getenv("IOTSKY_MODEL_SECONDS");
        const auto now = std::chrono::steady_clock::now;
        const auto began = now();
        // Always the same seeds in a short run; a long one goes where nobody was before.
        std::uint64_t seed =
            seconds == nullptr
                ? 0
                : static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() /
                                             std::chrono::seconds{1})
                      << 20U;
        const std::uint64_t end = seed + 250;
        const std::chrono::seconds budget{seconds == nullptr ? 10 : std::atol(seconds)};
        for (std::uint64_t n = seed + 1; seconds == nullptr ? n <= end : now() - began < budget;
             seed = n++) {
            const std::string failed = story(setting_of(n));
            INFO(failed);
            REQUIRE(failed.empty());
        }
        MESSAGE("last seed ", seed + 1);
    }

    TEST_CASE("the check can fail: each rule of the reference that is switched off is missed") {
        for (int rule = 1; rule < kBrokenRules; ++rule) {
            Setting setting;
            setting.broken = static_cast<BrokenRule>(rule);
            const Shown shown = first_failure(setting, 40);
            CAPTURE(rule);
            CHECK(shown.seed != 0);
            CHECK(shown.actions <= 12);  // shrunk to what a reader takes in
        }
    }

    TEST_CASE("the check can fail: a broker that answers before the disk has it loses messages") {
        Setting setting;
        setting.log = LogFault::early_durable;
        CHECK(first_failure(setting, 400).seed != 0);
    }

    TEST_CASE("the check can fail: an identifier apart from its message brings it twice") {
        Setting setting;
        setting.log = LogFault::late_inbound;
        CHECK(first_failure(setting, 400).seed != 0);
    }

    TEST_CASE("a script gives the same run each time") {
        const Script script = random_script(7, 5);
        CHECK(text(script) == text(random_script(7, 5)));
        CHECK(text(script) != text(random_script(8, 5)));
    }
}
