// A configuration that is read again while the program runs.
#include <algorithm>

#include "apps/config/reload.hpp"
#include "apps/serve/listeners.hpp"
#include "apps/serve/machine_bridge.hpp"
#include "tests/unit/apps/cli_run.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace iotsky::apps::test;
using Keys = std::vector<std::string>;

namespace {

Loaded load(const std::string& text) {
    const std::vector<Source> sources{{"c.toml", "/etc", text}};
    return load_config(sources, {}).value();
}

bool has(const Keys& keys, const std::string& key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// A machine that started with a file, and notes what it is told to use.
struct Machine {
    TemporaryFolder folder;
    std::filesystem::path file;
    ConfigChoice choice;
    std::vector<Config> applied;
    bool refuses = false;
    MachineBridge bridge;

    explicit Machine(const std::string& text)
        : file(folder.write("c.toml", text)),
          choice{file, {}},
          bridge(choice, load_chosen(choice, {}).value(), {},
                 [this](const Config& config) { return apply(config); }) {}

    Result<Keys> apply(const Config& config) {
        if (refuses) {
            return make_error(Errc::invalid_argument, "E1158", "no", "no", "no");
        }
        applied.push_back(config);
        return Keys{"listener.a.anonymous_policy_file"};
    }
    Result<api::ReloadReport> reload(const std::string& text) {
        folder.write("c.toml", text);
        return bridge.reload_config();
    }
    api::ConfigValue value(const std::string& key) const {
        const auto values = bridge.config();
        const auto at = std::find_if(values.begin(), values.end(),
                                     [&](const auto& value) { return value.key == key; });
        REQUIRE(at != values.end());
        return *at;
    }
};

}  // namespace

TEST_SUITE("apps.reload") {
    TEST_CASE("two configurations differ in what counts at once and what needs a restart") {
        const Loaded before =
            load("[log]\nlevel = \"info\"\n[listener.a]\nbind = \"127.0.0.1:1\"\n");
        const Loaded after = load(
            "[log]\nlevel = \"debug\"\n[limits]\nthreads = 7\n[listener.b]\nbind = "
            "\"127.0.0.1:1\"\n");
        const auto difference = compare(before, after);
        CHECK(difference.at_once == Keys{"log.level"});
        CHECK(has(difference.needs_restart, "limits.threads"));
        CHECK(has(difference.needs_restart, "listener.a.bind"));
        CHECK(has(difference.needs_restart, "listener.b.bind"));
        CHECK(has(difference.needs_restart, "listener.b.handshake_timeout"));
        CHECK_FALSE(has(difference.needs_restart, "log.format"));
        CHECK(compare(before, before).needs_restart.empty());
    }

    TEST_CASE("what can change changes, with its origin; the rest stays as it is in use") {
        const Loaded before = load(
            "[log]\nlevel = \"warn\"\n[listener.a]\nbind = \"127.0.0.1:1\"\n"
            "handshake_timeout = \"3s\"\n");
        const Loaded fresh = load(
            "[defaults.class]\nburst = 7\n[server]\nnames = [\"x.lan\"]\n"
            "[listener.a]\nbind = \"127.0.0.1:2\"\n");
        const Loaded next = with_changes(before, fresh);
        CHECK(next.config.log.level == log::Level::info);  // the default again
        CHECK_FALSE(next.origins.contains("log.level"));
        CHECK(next.config.class_defaults.burst == 7);
        CHECK(next.origins.at("defaults.class.burst") == "c.toml:2:9");
        CHECK(next.config.listeners[0].handshake_timeout == std::chrono::seconds{5});
        CHECK(next.config.listeners[0].bind == "127.0.0.1:1");
        CHECK(next.config.server.names == before.config.server.names);
        CHECK(next.origins.at("listener.a.bind") == before.origins.at("listener.a.bind"));
    }

    TEST_CASE("a reload uses the new values once, and tells each key") {
        Machine machine{"[log]\nlevel = \"warn\"\n"};
        const auto report = machine.reload("[log]\nlevel = \"error\"\n[limits]\nthreads = 3\n");
        REQUIRE(report.has_value());
        CHECK(report->changed == Keys{"log.level", "listener.a.anonymous_policy_file"});
        CHECK(report->needs_restart == Keys{"limits.threads"});
        REQUIRE(machine.applied.size() == 1);
        CHECK(machine.applied[0].log.level == log::Level::error);
        CHECK(machine.applied[0].broker.threads == 0);
        CHECK(machine.value("log.level").value_json == "\"error\"");
        CHECK(machine.value("limits.threads").value_json == "0");
        // What still waits for a restart is told again.
        CHECK(machine.bridge.reload_config()->needs_restart == Keys{"limits.threads"});
    }

    TEST_CASE("a wrong file changes nothing") {
        Machine machine{"[log]\nlevel = \"warn\"\n"};
        const auto refused = machine.reload("[log]\nlevel = \"loud\"\n");
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E1154");
        CHECK(machine.applied.empty());
        CHECK(machine.value("log.level").value_json == "\"warn\"");
        CHECK(machine.value("log.level").origin.find("c.toml:2:9") != std::string::npos);
    }

    TEST_CASE("values that cannot be put to use change nothing") {
        Machine machine{"[log]\nlevel = \"warn\"\n"};
        machine.refuses = true;
        const auto refused = machine.reload("[log]\nlevel = \"error\"\n");
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E1158");
        CHECK(machine.value("log.level").value_json == "\"warn\"");
        machine.refuses = false;
        CHECK(machine.bridge.reload_config()->changed.front() == "log.level");
    }
}
