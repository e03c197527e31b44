#include <doctest/doctest.h>

#include "apps/config/load.hpp"
#include "apps/config/table.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace std::chrono_literals;

namespace {

Result<Loaded> load(std::string text, std::vector<Override> overrides = {}) {
    const std::vector<Source> sources{{"iotsky.toml", "/etc/iotsky", std::move(text)}};
    return load_config(sources, overrides);
}

Override variable(std::string name, std::string value) {
    const std::vector<std::string> environment{name + "=" + value};
    auto found = environment_overrides(environment);
    REQUIRE(found.size() == 1);
    return found[0];
}

struct BadRow {
    const char* text;
    const char* number;
    const char* where;
    const char* how;  ///< a part of it
};

}  // namespace

TEST_SUITE("apps.config") {
    TEST_CASE("without a file there are the four default listeners and the default limits") {
        const auto loaded = load_config({}, {});
        REQUIRE(loaded.has_value());
        const Config& config = loaded->config;
        REQUIRE(config.listeners.size() == 4);
        CHECK(config.listeners[0].name == "mqtts");
        CHECK(config.listeners[0].bind == "[::]:8883");
        CHECK(config.listeners[0].client_certificate == ClientCertificate::required);
        CHECK(config.listeners[1].name == "web");
        CHECK(config.listeners[1].protocol == Protocol::https);
        CHECK(config.listeners[1].bind == "[::]:8443");
        CHECK(config.listeners[1].client_certificate == ClientCertificate::optional);
        CHECK(config.listeners[2].bind == "127.0.0.1:9880");
        CHECK(config.listeners[3].protocol == Protocol::unix_socket);
        CHECK(config.broker.limits.packet_bytes_max == 256 * 1024);
        CHECK(loaded->origins.empty());
    }

    TEST_CASE("a listener in the file replaces all default listeners") {
        const auto loaded = load("[listener.plain]\nprotocol = \"mqtt\"\nbind = \"127.0.0.1:0\"\n");
        REQUIRE(loaded.has_value());
        REQUIRE(loaded->config.listeners.size() == 1);
        CHECK(loaded->config.listeners[0].protocol == Protocol::mqtt);
    }

    TEST_CASE("a client certificate is optional for browsers unless a line says otherwise") {
        const auto certificate = [](const std::string& keys) {
            const auto loaded = load("[listener.x]\nbind = \"127.0.0.1:0\"\n" + keys);
            REQUIRE(loaded.has_value());
            return loaded->config.listeners[0].client_certificate;
        };
        CHECK(certificate("protocol = \"mqtts\"\n") == ClientCertificate::required);
        for (const char* protocol : {"https", "wss", "ws"}) {
            const std::string line = "protocol = \"" + std::string{protocol} + "\"\n";
            CHECK(certificate(line) == ClientCertificate::optional);
            CHECK(certificate(line + "client_certificate = \"required\"\n") ==
                  ClientCertificate::required);
        }
    }

    TEST_CASE("each kind of value reaches its field") {
        const auto loaded = load(R"(
schema = 1
[server]
names = ["a.example", "b.example"]
data_dir = "data"
[limits]
connect_timeout = "1500ms"
keep_alive_max = "20min"
packet_bytes_max = "1MiB"
queue_bytes_max = 65536
inflight_max = 7
queue_full = "drop-oldest"
[defaults.class]
strict_isolation = true
on_denied_publish = "disconnect"
[ca]
passphrase_file = "/secret/pass"
[log]
level = "debug"
format = "json"
[listener.dev]
bind = "[::1]:8883"
client_certificate = "optional"
anonymous_policy_file = "../allow.json"
client_ids = "account"
ticket_lifetime = "2h"
)");
        REQUIRE(loaded.has_value());
        const Config& config = loaded->config;
        CHECK(config.server.names == std::vector<std::string>{"a.example", "b.example"});
        CHECK(config.server.data_dir == "/etc/iotsky/data");
        CHECK(config.broker.limits.connect_timeout == 1500ms);
        CHECK(config.broker.limits.keep_alive_max == 1200s);
        CHECK(config.broker.limits.packet_bytes_max == 1 << 20);
        CHECK(config.broker.limits.queue_bytes_max == 65536);
        CHECK(config.broker.limits.inflight_max == 7);
        CHECK(config.broker.limits.queue_full == broker::QueueFull::drop_oldest);
        CHECK(config.class_defaults.strict_isolation);
        CHECK(config.class_defaults.on_denied_publish == OnDeniedPublish::disconnect);
        CHECK(config.ca.passphrase_file == "/secret/pass");
        CHECK(config.log.level == log::Level::debug);
        CHECK(config.log.format == log::Format::json);
        const Listener& listener = config.listeners.at(0);
        CHECK(listener.protocol == Protocol::mqtts);
        CHECK(listener.client_certificate == ClientCertificate::optional);
        CHECK(listener.anonymous_policy_file == "/etc/allow.json");
        CHECK(listener.client_ids == ClientIds::account);
        CHECK(listener.ticket_lifetime == 2h);
        CHECK(loaded->origins.at("limits.inflight_max") == "iotsky.toml:11:16");
    }

    TEST_CASE("what is wrong is refused with its position and the remedy") {
        const BadRow rows[] = {
            {"[limits]\ninflight_mx = 5\n", "E1152", "iotsky.toml:2:1", "inflight_max"},
            {"[limit]\ninflight_max = 5\n", "E1152", "iotsky.toml:1:", "limits"},
            {"verbose = true\n", "E1152", "iotsky.toml:1:1", ""},
            {"[defaults.clas]\nburst = 5\n", "E1152", "iotsky.toml:1:", "defaults.class"},
            {"[listener.a]\nbnd = \"127.0.0.1:0\"\n", "E1152", "iotsky.toml:2:1", "bind"},
            {"[listener.\"a b\"]\nbind = \"127.0.0.1:0\"\n", "E1152",
             "iotsky.toml:1:", "[listener.NAME]"},
            {"listener = 1\n", "E1153", "iotsky.toml:1:12", "[listener.NAME]"},
            {"[log]\nlevel = 3\n", "E1153", "iotsky.toml:2:9", ""},
            {"[log]\nlevel = \"inf\"\n", "E1154", "iotsky.toml:2:9", "info"},
            {"[server]\nnames = \"iotsky.local\"\n", "E1153", "iotsky.toml:2:9", ""},
            {"[server]\nnames = [1, 2]\n", "E1153", "iotsky.toml:2:9", ""},
            {"[server]\ndata_dir = {a = 1}\n", "E1153", "iotsky.toml:2:12", ""},
            {"[limits]\ninflight_max = 0\n", "E1154", "iotsky.toml:2:16", "range"},
            {"[limits]\ninflight_max = 16385\n", "E1154", "iotsky.toml:2:16", "range"},
            {"[limits]\ninflight_max = 1.5\n", "E1153", "iotsky.toml:2:16", ""},
            {"[limits]\ninflight_max = \"7\"\n", "E1153", "iotsky.toml:2:16", ""},
            {"[limits]\nconnect_timeout = 10\n", "E1153", "iotsky.toml:2:19", "10s"},
            {"[limits]\nconnect_timeout = \"10 parsec\"\n", "E1153", "iotsky.toml:2:19", ""},
            {"[limits]\nconnect_timeout = \"99ms\"\n", "E1154", "iotsky.toml:2:19", "range"},
            {"[limits]\npacket_bytes_max = \"1TiB\"\n", "E1153", "iotsky.toml:2:20", ""},
            {"[limits]\npacket_bytes_max = -1\n", "E1154", "iotsky.toml:2:20", "range"},
            {"[defaults.class]\nstrict_isolation = \"yes\"\n", "E1153", "iotsky.toml:2:20", ""},
            {"[durability]\nmode = \"memry\"\n", "E1154", "iotsky.toml:2:8", "memory"},
            {"schema = 2\n", "E1154", "iotsky.toml:1:10", ""},
            {"[limits\n", "E1151", "iotsky.toml:1:", "config check"},
            {"[limits]\ninflight_max = \n", "E1151", "iotsky.toml:2:", "config check"},
            {"[limits]\ninflight_max = 5\ninflight_max = 6\n", "E1151",
             "iotsky.toml:3:", "config check"},
        };
        for (const BadRow& row : rows) {
            CAPTURE(row.text);
            const auto loaded = load(row.text);
            REQUIRE_FALSE(loaded.has_value());
            const Error& error = loaded.error();
            CAPTURE(error);
            CHECK(error.number == row.number);
            CHECK(error.message.starts_with(row.where));
            CHECK(error.how.find(row.how) != std::string::npos);
            CHECK_FALSE(error.why.empty());
            CHECK_FALSE(error.how.empty());
        }
    }

    TEST_CASE("every problem of a file is told in one go") {
        const auto loaded = load(
            "[log]\nlevle = \"info\"\n[limits]\nslice = 0\n[listener.x]\nprotocol = \"mqt\"\n");
        REQUIRE_FALSE(loaded.has_value());
        REQUIRE(loaded.error().fields.size() == 3);
    }

    TEST_CASE("later texts win, and add to a listener of the same name") {
        const std::vector<Source> sources{
            {"a.toml", "/etc",
             "[log]\nlevel = \"warn\"\n[listener.m]\nbind = \"127.0.0.1:1\"\nfailed_connects_per_"
             "minute_per_address = 9\n"},
            {"b.toml", "/opt", "[log]\nlevel = \"debug\"\n[listener.m]\nbind = \"127.0.0.1:2\"\n"}};
        const auto loaded = load_config(sources, {});
        REQUIRE(loaded.has_value());
        CHECK(loaded->config.log.level == log::Level::debug);
        REQUIRE(loaded->config.listeners.size() == 1);
        CHECK(loaded->config.listeners[0].bind == "127.0.0.1:2");
        CHECK(loaded->config.listeners[0].failed_connects_per_minute_per_address == 9);
        CHECK(loaded->origins.at("listener.m.bind") == "b.toml:4:8");
    }

    TEST_CASE("a variable wins over the file") {
        const auto loaded = load(
            "[log]\nlevel = \"warn\"\n",
            {variable("IOTSKY_LOG__LEVEL", "debug"), variable("IOTSKY_SERVER__NAMES", "a.b,c.d"),
             variable("IOTSKY_DEFAULTS__CLASS__BURST", "3"),
             variable("IOTSKY_LISTENER__MQTTS__BIND", "[::1]:0"),
             variable("IOTSKY_LISTENER__ADMIN_SOCKET__PATH", "/s")});
        REQUIRE(loaded.has_value());
        CHECK(loaded->config.log.level == log::Level::debug);
        CHECK(loaded->config.server.names == std::vector<std::string>{"a.b", "c.d"});
        CHECK(loaded->config.class_defaults.burst == 3);
        CHECK(loaded->config.listeners[0].bind == "[::1]:0");
        CHECK(loaded->config.listeners[3].path == "/s");
        CHECK(loaded->origins.at("log.level") == "IOTSKY_LOG__LEVEL");
    }

    TEST_CASE("a wrong variable is refused by its name") {
        const auto unknown = load("", {variable("IOTSKY_LOG__LEVLE", "debug")});
        REQUIRE_FALSE(unknown.has_value());
        CHECK(unknown.error().number == "E1152");
        CHECK(unknown.error().message.starts_with("IOTSKY_LOG__LEVLE"));
        CHECK(unknown.error().how.find("level") != std::string::npos);

        const auto bad = load("", {variable("IOTSKY_LIMITS__INFLIGHT_MAX", "many")});
        REQUIRE_FALSE(bad.has_value());
        CHECK(bad.error().number == "E1153");
        const auto section = load("", {variable("IOTSKY_LGO__LEVEL", "info")});
        REQUIRE_FALSE(section.has_value());
        CHECK(section.error().how.find("log") != std::string::npos);
    }

    TEST_CASE("variables that name no section are none of the configuration's") {
        const std::vector<std::string> environment{"IOTSKY_SERVER=http://x", "IOTSKY_TOKEN_FILE=t",
                                                   "HOME=/root"};
        CHECK(environment_overrides(environment).empty());
    }

    TEST_CASE("no two rows of a table have one key, and each says what it means") {
        for (const Section& section : config_sections()) {
            for (std::size_t i = 0; i < section.settings.size(); ++i) {
                CAPTURE(section.settings[i].key);
                CHECK(section.settings[i].help.size() > 4);
                for (std::size_t j = i + 1; j < section.settings.size(); ++j) {
                    CHECK(section.settings[i].key != section.settings[j].key);
                }
            }
        }
    }
}
