#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "apps/config/rules.hpp"
#include "apps/config/show.hpp"
#include "apps/config/value_text.hpp"

using namespace iotsky;
using namespace iotsky::apps;

TEST_SUITE("apps.config") {
    TEST_CASE("sizes and durations are read with their units and written with the largest one") {
        CHECK(parse_size("4096") == 4096);
        CHECK(parse_size("32KiB") == 32768);
        CHECK(parse_size("64 MiB") == 64 << 20);
        CHECK(parse_size("0B") == 0);
        for (const char* bad :
             {"", "KiB", "-1", "1.5MiB", "1KB", "9999999999GiB", "99999999999999999999"}) {
            CAPTURE(bad);
            CHECK_FALSE(parse_size(bad));
        }
        CHECK(parse_duration_ms("200ms") == 200);
        CHECK(parse_duration_ms("5 min") == 300'000);
        CHECK(parse_duration_ms("7d") == 604'800'000);
        for (const char* bad : {"", "5", "s", "-5s", "1.5s", "5sec"}) {
            CAPTURE(bad);
            CHECK_FALSE(parse_duration_ms(bad));
        }
        CHECK(format_size(65536) == "64KiB");
        CHECK(format_size(1000) == "1000B");
        CHECK(format_size(0) == "0B");
        CHECK(format_duration_ms(90'000) == "90s");
        CHECK(format_duration_ms(86'400'000) == "1d");
        CHECK(format_duration_ms(0) == "0s");
    }

    TEST_CASE("what show prints is read back as the same configuration") {
        const std::vector<Source> sources{
            {"a", "/etc",
             "[log]\nlevel = \"debug\"\n[server]\nsite = \"s\\\"\\u0001\"\n"
             "[listener.u]\nprotocol = \"unix\"\npath = \"/run/x\"\n"
             "[listener.m]\nbind = \"127.0.0.1:1\"\n"}};
        const auto first = load_config(sources, {});
        REQUIRE(first.has_value());
        const std::string shown = show_config(first->config);
        const std::vector<Source> again{{"b", "/", shown}};
        const auto second = load_config(again, {});
        CAPTURE(shown);
        REQUIRE(second.has_value());
        CHECK(show_config(second->config) == shown);
        CHECK(second->config.server.site == "s\"\x01");
    }

    TEST_CASE("origin names the place of each value that is not a default") {
        const std::vector<Source> sources{{"a.toml", "/etc", "[log]\nlevel = \"debug\"\n"}};
        const auto loaded = load_config(sources, {});
        REQUIRE(loaded.has_value());
        const std::string text = show_origins(*loaded);
        CHECK(text.find("a.toml:2:9") != std::string::npos);
        CHECK(text.find("log.format") != std::string::npos);
    }

    TEST_CASE("docs/config.md is what `iotsky config docs` prints") {
        std::ifstream in{IOTSKY_SOURCE_DIR "/docs/config.md", std::ios::binary};
        const std::string page{std::istreambuf_iterator<char>{in}, {}};
        CHECK_MESSAGE(page == config_reference(), "run: iotsky config docs > docs/config.md");
    }
}
