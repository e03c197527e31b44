#include "broker/mqtt/topic.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/text.hpp"
#include "tests/support/topic_twin.hpp"

using namespace iotsky;
using namespace iotsky::mqtt;

namespace {

/// Text over few characters, so that matches, wildcards and empty levels are frequent.
std::string random_text(SeededRandom& random, std::string_view alphabet, std::uint64_t bytes_max) {
    std::string text;
    for (std::uint64_t n = random.below(bytes_max + 1); n > 0; --n) {
        text += alphabet[random.below(alphabet.size())];
    }
    return text;
}

std::vector<std::string> levels_of(std::string_view text) {
    std::vector<std::string> out;
    for (const std::string_view level : Levels(text)) {
        out.emplace_back(level);
    }
    return out;
}

}  // namespace

TEST_SUITE("mqtt.topic") {
    TEST_CASE("[MQTT-4.7.1-1] [MQTT-4.7.3-1] a Topic Name is not empty and has no wildcard") {
        for (const std::string_view good :
             {"a", "/", "//", "a/b", " ", "$SYS/x", "a b", "ACCOUNTS"}) {
            CAPTURE(good);
            CHECK(is_valid_topic_name(good));
        }
        for (const std::string_view bad : {"", "+", "#", "a/+", "a#", "+a"}) {
            CAPTURE(bad);
            CHECK_FALSE(is_valid_topic_name(bad));
        }
    }

    TEST_CASE("[MQTT-4.7.1-2] '#' stands alone in the last level") {
        for (const std::string_view good : {"#", "/#", "a/#", "a/b/#", "+/#", "//#"}) {
            CAPTURE(good);
            CHECK(is_valid_topic_filter(good));
        }
        for (const std::string_view bad : {"a#", "#a", "#/", "a/#/b", "##", "#/#", "a/b#"}) {
            CAPTURE(bad);
            CHECK(topic_filter_fault(bad) == DecodeError::filter_hash);
        }
    }

    TEST_CASE("[MQTT-4.7.1-3] '+' stands alone in its level") {
        for (const std::string_view good : {"+", "/+", "+/", "a/+", "+/a", "a/+/b", "+/+", "/+/"}) {
            CAPTURE(good);
            CHECK(is_valid_topic_filter(good));
        }
        for (const std::string_view bad : {"a+", "+a", "a/b+", "a/+b/c", "++", "+#", "/+a"}) {
            CAPTURE(bad);
            CHECK(topic_filter_fault(bad) == DecodeError::filter_plus);
        }
    }

    TEST_CASE("[MQTT-4.7.3-1] [MQTT-4.7.3-3] lengths: 1 to 65,535 bytes") {
        CHECK(topic_filter_fault("") == DecodeError::topic_empty);
        CHECK(is_valid_topic_name(std::string(65'535, '/')));
        CHECK(is_valid_topic_filter(std::string(65'535, '/')));
        CHECK_FALSE(is_valid_topic_name(std::string(65'536, '/')));
        CHECK_FALSE(is_valid_topic_filter(std::string(65'536, '/')));
    }

    TEST_CASE("the standard's own examples match as it says") {
        struct Row {
            std::string_view filter;
            std::string_view topic;
            bool match;
        };
        const Row rows[] = {
            {"sport/tennis/player1/#", "sport/tennis/player1", true},
            {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
            {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
            {"sport/tennis/player1/#", "sport/tennis/player10", false},
            {"sport/#", "sport", true},
            {"sport/#", "sport/", true},
            {"sport/#", "sports", false},
            {"#", "a/b/c", true},
            {"#", "/", true},
            {"sport/tennis/+", "sport/tennis/player1", true},
            {"sport/tennis/+", "sport/tennis/player1/ranking", false},
            {"sport/+", "sport", false},
            {"sport/+", "sport/", true},
            {"+/tennis/#", "sport/tennis", true},
            {"+/tennis/#", "sport/tennis/x", true},
            {"+/+", "/finance", true},
            {"/+", "/finance", true},
            {"+", "/finance", false},
            {"+", "finance", true},
            {"+/#", "finance", true},
            {"+/#", "/", true},
            {"/#", "/", true},
            {"/#", "a", false},
            {"a//#", "a/", true},
            {"a//#", "a", false},
            {"a/+/c", "a//c", true},
            {"a/b", "a/b", true},
            {"a/b", "a/B", false},  // case counts
            {"a/b", "a/b/", false},
            {"a/b/", "a/b", false},
            {"A\xCC\x8A", "\xC3\x85", false},  // [MQTT-4.7.3-4] no normalisation
            {"\xEF\xBB\xBF"
             "a",
             "a", false},  // [MQTT-1.5.3-3] U+FEFF is not skipped
        };
        for (const Row& row : rows) {
            CAPTURE(row.filter);
            CAPTURE(row.topic);
            CHECK(matches(row.filter, row.topic) == row.match);
        }
    }

    TEST_CASE("[MQTT-4.7.2-1] a leading wildcard does not match a name that begins with '$'") {
        CHECK_FALSE(matches("#", "$SYS/x"));
        CHECK_FALSE(matches("+/x", "$SYS/x"));
        CHECK_FALSE(matches("+", "$"));
        CHECK_FALSE(matches("+/#", "$SYS"));
        CHECK(matches("$SYS/#", "$SYS/x"));
        CHECK(matches("$SYS/#", "$SYS"));
        CHECK(matches("$SYS/+", "$SYS/x"));
        CHECK(matches("a/#", "a/$b"));
        CHECK(matches("+/$b", "a/$b"));
        CHECK(matches("#", "a/$SYS"));
        CHECK(matches("#", "/$SYS"));
    }

    TEST_CASE("matching agrees with its slow twin") {
        SeededRandom random(2);
        std::size_t matched = 0;
        std::size_t valid = 0;
        for (int round = 0; round < 300'000; ++round) {
            const std::string filter = random_text(random, "ab/+#$", 7);
            const std::string topic = random_text(random, "ab/$", 7);
            CAPTURE(filter);
            CAPTURE(topic);
            REQUIRE(is_valid_topic_filter(filter) == test::slow_is_valid_filter(filter));
            if (!is_valid_topic_filter(filter) || topic.empty()) {
                continue;
            }
            ++valid;
            matched += matches(filter, topic) ? 1U : 0U;
            REQUIRE(matches(filter, topic) == test::slow_matches(filter, topic));
        }
        CHECK(valid > 50'000);
        CHECK(matched > 1'000);
    }

    TEST_CASE("levels are those of a split, empty ones included") {
        CHECK(levels_of("/a//b") == std::vector<std::string>{"", "a", "", "b"});
        CHECK(levels_of("a") == std::vector<std::string>{"a"});
        CHECK(levels_of("a/") == std::vector<std::string>{"a", ""});
        CHECK(levels_of("/") == std::vector<std::string>{"", ""});
        CHECK(levels_of("") == std::vector<std::string>{""});
        SeededRandom random(3);
        for (int round = 0; round < 10'000; ++round) {
            const std::string text = random_text(random, "a/", 9);
            CAPTURE(text);
            std::vector<std::string> expected;
            for (const std::string_view part : split(text, '/')) {
                expected.emplace_back(part);
            }
            REQUIRE(levels_of(text) == expected);
        }
    }

    TEST_CASE("the last level is known") {
        auto level = Levels("a/b").begin();
        CHECK_FALSE(level.last());
        ++level;
        CHECK(level.last());
        CHECK(*level == "b");
        CHECK(++level == Levels("a/b").end());
    }

    TEST_CASE("65,535 levels need no stack") {
        const std::string slashes(65'535, '/');
        CHECK(matches(slashes, slashes));
        CHECK(matches("/#", slashes));
        std::string pluses = "+";
        while (pluses.size() + 2 <= 65'535) {
            pluses += "/+";
        }
        CHECK(matches(pluses, std::string(pluses.size() / 2, '/')));
        CHECK_FALSE(matches(pluses, slashes));
    }

    TEST_CASE("wildcards are seen anywhere") {
        CHECK(has_wildcard("+"));
        CHECK(has_wildcard("a/b/c/d/e/f/g/#"));
        CHECK(has_wildcard("a+"));
        CHECK_FALSE(has_wildcard("a/b/c/d/e/f/g/h*"));
        CHECK_FALSE(has_wildcard(""));
    }
}
