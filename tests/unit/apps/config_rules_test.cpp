#include <doctest/doctest.h>

#include <algorithm>

#include "apps/config/rules.hpp"

using namespace iotsky;
using namespace iotsky::apps;

namespace {

Result<std::vector<Error>> check(const std::string& text) {
    const std::vector<Source> sources{{"c.toml", "/etc", text}};
    const auto loaded = load_config(sources, {});
    REQUIRE(loaded.has_value());
    return check_rules(*loaded);
}

std::string listener(const std::string& keys) {
    return "[listener.admin]\nprotocol = \"unix\"\npath = \"s\"\n[listener.x]\n" + keys;
}

struct Row {
    const char* keys;
    const char* number;
    const char* message;
};

}  // namespace

TEST_SUITE("apps.config") {
    TEST_CASE("the defaults keep the rules without a warning") {
        const auto warnings = check("");
        REQUIRE(warnings.has_value());
        CHECK(warnings->empty());
    }

    TEST_CASE("a listener's own limit keeps to the range of the common one") {
        const std::string mqtt = "protocol = \"mqtts\"\nbind = \"127.0.0.1:0\"\n";
        for (const char* low : {"packet_bytes_max = 127\n", "connect_timeout = \"99ms\"\n",
                                "queue_bytes_max = \"1023B\"\n"}) {
            CAPTURE(low);
            const auto refused = check(listener(mqtt + low));
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().number == "E1155");
        }
        for (const char* fine :
             {"packet_bytes_max = 128\n", "packet_bytes_max = 0\n", "keep_alive_max = \"60s\"\n",
              "inflight_max = 1\n", "connections_max = 1\n"}) {
            CAPTURE(fine);
            CHECK(check(listener(mqtt + fine)).has_value());
        }
        const auto api =
            check(listener("protocol = \"http\"\nbind = \"127.0.0.1:0\"\ninflight_max = 1\n"));
        REQUIRE_FALSE(api.has_value());
        CHECK(api.error().message.find("inflight_max") != std::string::npos);
    }

    TEST_CASE("a listener cannot promise the disk when there is no message store") {
        const std::string mqtt = "protocol = \"mqtts\"\nbind = \"127.0.0.1:0\"\ndurability = ";
        for (const char* word : {"durable", "relaxed", "memory", "as-broker"}) {
            CAPTURE(word);
            const std::string keys = mqtt + "\"" + word + "\"\n";
            CHECK(check(listener(keys)).has_value());
            const auto without = check("[durability]\nmode = \"memory\"\n" + listener(keys));
            const bool disk =
                std::string_view{word} == "durable" || std::string_view{word} == "relaxed";
            CHECK(without.has_value() == !disk);
        }
    }

    TEST_CASE("plain MQTT beyond loopback needs insecure = true, and then warns") {
        const char* plain = "protocol = \"mqtt\"\nanonymous_policy_file = \"p\"\nbind = ";
        for (const char* bind :
             {"\"0.0.0.0:1883\"", "\"[::]:1883\"", "\"10.0.0.1:1883\"", "\"host.example:1883\""}) {
            CAPTURE(bind);
            const std::string keys = plain + std::string{bind} + "\n";
            const auto refused = check(listener(keys));
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().number == "E1155");
            CHECK(refused.error().how.find("insecure = true") != std::string::npos);
            CHECK(refused.error().message.starts_with("c.toml:7:"));

            const auto allowed = check(listener(keys + "insecure = true\n"));
            REQUIRE(allowed.has_value());
            REQUIRE(allowed->size() == 1);
            CHECK((*allowed)[0].number == "W1147");
        }
        for (const char* bind : {"\"127.0.0.1:1883\"", "\"[::1]:0\"", "\"localhost:0\""}) {
            CAPTURE(bind);
            const auto allowed = check(listener(plain + std::string{bind} + "\n"));
            REQUIRE(allowed.has_value());
            CHECK(allowed->empty());
        }
    }

    TEST_CASE("keys that contradict each other are refused") {
        const Row rows[] = {
            {"protocol = \"http\"\nbind = \"0.0.0.0:9880\"\n", "E1155", "API without TLS"},
            {"protocol = \"ws\"\nbind = \"0.0.0.0:80\"\n", "E1155", "without TLS over WebSocket"},
            {"bind = \"127.0.0.1:1\"\nallowed_origins = [\"https://a.example\"]\n", "E1155",
             "is for ws, wss and https"},
            {"protocol = \"wss\"\nbind = \"[::]:443\"\nallowed_origins = [\"a.example\"]\n",
             "E1155", "not the origin"},
            {"protocol = \"wss\"\nbind = \"[::]:443\"\nallowed_origins = "
             "[\"https://a.example/x\"]\n",
             "E1155", "not the origin"},
            {"protocol = \"wss\"\nbind = \"[::]:443\"\nwebsocket_path = \"mqtt\"\n", "E1155",
             "not a path"},
            {"protocol = \"https\"\nbind = \"[::]:443\"\nwebsocket_path = \"/api/v1\"\n", "E1155",
             "a path of the API"},
            {"protocol = \"https\"\nbind = \"[::]:443\"\nclient_certificate = \"required\"\n"
             "anonymous_policy_file = \"p\"\n",
             "E1155", "requires certificates"},
            {"bind = \"8883\"\n", "E1155", "not an address"},
            {"bind = \"::1:8883\"\n", "E1155", "not an address"},
            {"bind = \"127.0.0.1:70000\"\n", "E1155", "not an address"},
            {"bind = \"\"\n", "E1155", "not an address"},
            {"protocol = \"unix\"\n", "E1155", "needs path"},
            {"protocol = \"unix\"\npath = \"s\"\nbind = \"127.0.0.1:1\"\n", "E1155", "needs path"},
            {"bind = \"127.0.0.1:1\"\npath = \"s\"\n", "E1155", "not an address"},
            {"bind = \"127.0.0.1:1\"\nanonymous_policy_file = \"p\"\n", "E1155",
             "requires certificates"},
            {"protocol = \"http\"\nbind = \"127.0.0.1:1\"\nanonymous_policy_file = \"p\"\n",
             "E1155", "MQTT clients use"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.keys);
            const auto refused = check(listener(row.keys));
            REQUIRE_FALSE(refused.has_value());
            const Error error = refused.error();
            CHECK(error.number == row.number);
            // Each problem is a field; which one comes first does not matter.
            CHECK(
                std::any_of(error.fields.begin(), error.fields.end(), [&](const FieldError& field) {
                    return field.message.find(row.message) != std::string::npos;
                }));
        }
    }

    TEST_CASE(
        "WebSocket listeners with TLS may stand anywhere; without it the rules of mqtt hold") {
        for (const char* keys :
             {"protocol = \"wss\"\nbind = \"[::]:443\"\n",
              "protocol = \"https\"\nbind = \"0.0.0.0:443\"\nwebsocket_path = \"/broker\"\n"
              "allowed_origins = [\"https://a.example:8443\", \"null\"]\n",
              "protocol = \"ws\"\nbind = \"127.0.0.1:0\"\n"}) {
            CAPTURE(keys);
            const auto allowed = check(listener(keys));
            REQUIRE(allowed.has_value());
            CHECK(allowed->empty());
        }
        const auto open =
            check(listener("protocol = \"ws\"\nbind = \"0.0.0.0:80\"\ninsecure = true\n"));
        REQUIRE(open.has_value());
        REQUIRE(open->size() == 1);
        CHECK((*open)[0].number == "W1147");
    }

    TEST_CASE("the server's names and addresses are checked") {
        for (const char* text : {"names = []", "names = [\"a b\"]", "names = [\"10.0.0.1:2\"]",
                                 "names = [\"\"]", "addresses = [\"iotsky.local\"]",
                                 "site = \"a b\"", "site = \"\"", "data_dir = \"\""}) {
            CAPTURE(text);
            const auto refused = check("[server]\n" + std::string{text} + "\n");
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().number == "E1155");
        }
        CHECK(check("[server]\naddresses = [\"10.0.0.1\", \"2001:db8::1\"]\n").has_value());
    }

    TEST_CASE("a listener that nobody can use is warned about") {
        const auto warnings = check(listener("protocol = \"mqtt\"\nbind = \"127.0.0.1:0\"\n"));
        REQUIRE(warnings.has_value());
        REQUIRE(warnings->size() == 1);
        CHECK((*warnings)[0].number == "W1148");
    }

    TEST_CASE("a configuration without the API is warned about") {
        const auto warnings = check("[listener.x]\nbind = \"127.0.0.1:0\"\n");
        REQUIRE(warnings.has_value());
        REQUIRE(warnings->size() == 1);
        CHECK((*warnings)[0].number == "W1149");
    }

    TEST_CASE("endpoints are read and written alike") {
        for (const char* text : {"127.0.0.1:0", "[::]:8883", "localhost:65535"}) {
            const auto endpoint = parse_endpoint(text);
            REQUIRE(endpoint);
            CHECK(format_endpoint(*endpoint) == text);
        }
        for (const char* text : {"", ":1", "host", "host:", "host:x", "host:1 ", "[::1]", "[]:1",
                                 "::1:1", "h:65536"}) {
            CAPTURE(text);
            CHECK_FALSE(parse_endpoint(text));
        }
    }
}
