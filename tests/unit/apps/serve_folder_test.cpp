#include <sys/stat.h>

#include <boost/json.hpp>

#include "apps/serve/banner.hpp"
#include "apps/serve/data_folder.hpp"
#include "apps/serve/endpoints.hpp"
#include "apps/serve/listeners.hpp"
#include "apps/serve/server_tls.hpp"
#include "apps/serve/setup.hpp"
#include "tests/unit/apps/cli_run.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace iotsky::apps::test;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
}

Loaded load(const std::string& text) {
    const std::vector<Source> sources{{"c.toml", "/etc", text}};
    auto loaded = load_config(sources, {});
    REQUIRE(loaded.has_value());
    return *loaded;
}

const std::vector<OpenListener> kOpen{
    {"mqtts", "mqtts", "::", 8883, "", "TLS, client certificate required"},
    {"admin", "http", "127.0.0.1", 9880, "", "this machine, with a token"},
    {"admin-socket", "unix", "", 0, "/d/admin.sock", "this machine"}};

constexpr const char* kPolicy =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})";

}  // namespace

TEST_SUITE("apps.serve") {
    TEST_CASE(
        "a second broker on a folder is refused and told who has it, until the first one ends") {
        const TemporaryFolder folder;
        const auto path = folder.path() / "data";
        {
            const auto first = DataFolder::open(path);
            REQUIRE(first.has_value());
            CHECK(mode_of(path) == 0700);
            const auto second = DataFolder::open(path);
            REQUIRE_FALSE(second.has_value());
            CHECK(second.error().number == "E1157");
            CHECK(second.error().message.find("pid " + std::to_string(::getpid())) !=
                  std::string::npos);
        }
        CHECK(DataFolder::open(path).has_value());
    }

    TEST_CASE("a folder that others may write, or that is none, is refused by its name") {
        const TemporaryFolder folder;
        const auto open = folder.path() / "open";
        std::filesystem::create_directory(open);
        std::filesystem::permissions(open, std::filesystem::perms::all);
        const auto file = folder.write("file", "x");
        for (const auto& path : {open, file, file / "below"}) {
            CAPTURE(path);
            const auto refused = DataFolder::open(path);
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().number == "E1156");
            CHECK(refused.error().message.find(path.string()) != std::string::npos);
        }
    }

    TEST_CASE("an empty folder is made private") {
        const TemporaryFolder folder;
        const auto path = folder.path() / "d";
        std::filesystem::create_directory(path);
        std::filesystem::permissions(path, std::filesystem::perms::owner_all |
                                               std::filesystem::perms::others_read |
                                               std::filesystem::perms::others_exec);
        REQUIRE(DataFolder::open(path).has_value());
        CHECK(mode_of(path) == 0700);
    }

    TEST_CASE("endpoints.json has the form that tools rely on") {
        const TemporaryFolder folder;
        REQUIRE(write_endpoints(folder.path(), kOpen).has_value());
        const auto written = boost::json::parse(folder.read("endpoints.json"));
        CHECK(written.at("version").as_int64() == 1);
        CHECK(written.at("pid").as_int64() == ::getpid());
        CHECK(written.at("ca_file").as_string() == (folder.path() / "server-ca.crt").c_str());
        const auto& listeners = written.at("listeners").as_array();
        REQUIRE(listeners.size() == 3);
        CHECK(listeners[0] ==
              boost::json::value(
                  {{"name", "mqtts"}, {"protocol", "mqtts"}, {"host", "::"}, {"port", 8883}}));
        CHECK(listeners[2] ==
              boost::json::value(
                  {{"name", "admin-socket"}, {"protocol", "unix"}, {"path", "/d/admin.sock"}}));
        remove_endpoints(folder.path());
        CHECK_FALSE(std::filesystem::exists(folder.path() / "endpoints.json"));
    }

    TEST_CASE(
        "the banner lists every listener with its security, the fingerprint and the warnings") {
        BannerFacts facts;
        facts.version = "0.1.0";
        facts.data_folder = "/d";
        facts.first_start = true;
        facts.listeners = kOpen;
        facts.host = "iotsky.local";
        facts.addresses = {"10.0.0.5"};
        facts.ca_words = "otter-lamp-violet-seven";
        facts.ca_fingerprint = "9F:1C";
        facts.token_file = "/d/admin.token";
        facts.durability = "in memory";
        facts.warnings = {
            make_error(Errc::invalid_argument, "W1147", "Plain MQTT.", "", "Use TLS.")};
        const std::string text = banner(facts);
        for (const char* part :
             {"set up with defaults", "mqtts         mqtts  [::]:8883",
              "TLS, client certificate required", "unix   /d/admin.sock", "otter-lamp-violet-seven",
              "9F:1C", "/d/admin.token", "WARNING  W1147 Plain MQTT. Use TLS."}) {
            CAPTURE(part);
            CHECK(text.find(part) != std::string::npos);
        }
    }

    TEST_CASE("security is told in words for each kind of listener") {
        Listener listener;
        CHECK(security_words(listener) == "TLS, client certificate required");
        listener.client_certificate = ClientCertificate::optional;
        CHECK(security_words(listener) ==
              "TLS, client certificate optional or a token; others are refused");
        listener.protocol = Protocol::mqtt;
        CHECK(security_words(listener) == "NO encryption, refuses everybody");
        listener.anonymous_policy_file = "p";
        CHECK(security_words(listener) == "NO encryption, anonymous clients by their policy");
        Listener web;
        web.protocol = Protocol::https;
        web.client_certificate = ClientCertificate::optional;
        CHECK(security_words(web) ==
              "TLS, client certificate optional or a token; others are refused; the API with a "
              "token");
        web.protocol = Protocol::ws;
        CHECK(security_words(web) == "NO encryption, a token; others are refused");
    }

    TEST_CASE(
        "a policy for anonymous clients that is missing, empty or wrong is refused by its file") {
        const TemporaryFolder folder;
        Listener listener;
        listener.name = "plain";
        listener.protocol = Protocol::mqtt;
        const std::pair<std::filesystem::path, bool> rows[] = {
            {folder.write("good.json", kPolicy), true},
            {folder.write("empty.json", ""), false},
            {folder.write("half.json", R"({"Version":"2012)"), false},
            {folder.write("other.json", R"({"a":1})"), false},
            {folder.path(), false},
            {folder.path() / "missing.json", false}};
        for (const auto& [file, good] : rows) {
            CAPTURE(file);
            listener.anonymous_policy_file = file;
            const auto identities = listener_identities({listener});
            REQUIRE(identities.has_value() == good);
            if (good) {
                CHECK(identities->at("plain").anonymous != nullptr);
            } else {
                CHECK(identities.error().number == "E1158");
                CHECK(identities.error().message.find(file.string()) != std::string::npos);
            }
        }
    }

    TEST_CASE("a listener has its own limits where it says so, and those of all otherwise") {
        const Loaded loaded = load(
            "[limits]\ninflight_max = 7\nkeep_alive_max = \"9s\"\nqueue_messages_max = 11\n"
            "[listener.a]\nprotocol = \"mqtts\"\nbind = \"127.0.0.1:0\"\ninflight_max = 5\n"
            "connect_timeout = \"3s\"\n"
            "[listener.b]\nprotocol = \"mqtt\"\nbind = \"127.0.0.1:0\"\n"
            "[listener.c]\nprotocol = \"http\"\nbind = \"127.0.0.1:0\"\n");
        const broker::Options options = broker_options(loaded.config);
        REQUIRE(options.listeners.size() == 2);
        const broker::ConnectionLimits& own = options.listeners.at("a");
        CHECK(own.inflight_max == 5);
        CHECK(own.connect_timeout == std::chrono::seconds{3});
        CHECK(own.keep_alive_max == std::chrono::seconds{9});
        CHECK(own.queue_messages_max == 11);
        const broker::ConnectionLimits& common = options.listeners.at("b");
        CHECK(common.inflight_max == 7);
        CHECK(common.connect_timeout == broker::ConnectionLimits{}.connect_timeout);
        CHECK(options.limits.inflight_max == 7);
    }

    TEST_CASE("a listener's durability is its own word, else the broker's; the strictest counts") {
        const auto loaded = load(
            "[durability]\nmode = \"memory\"\n"
            "[listener.a]\nprotocol = \"mqtt\"\nbind = \"127.0.0.1:0\"\n"
            "durability = \"relaxed\"\n"
            "[listener.b]\nprotocol = \"mqtt\"\nbind = \"127.0.0.1:0\"\n");
        const broker::Options options = broker_options(loaded.config);
        CHECK(options.listeners.at("a").durability == broker::Durability::relaxed);
        CHECK(options.listeners.at("b").durability == broker::Durability::memory);
        CHECK(options.limits.durability == broker::Durability::memory);
        CHECK(strictest_durability(loaded.config) == DurabilityMode::relaxed);
        CHECK(strictest_durability(load("").config) == DurabilityMode::durable);
    }

    TEST_CASE(
        "loopback and link-local addresses are not what devices are told, unless there are no "
        "others") {
        CHECK(usable_addresses({"10.0.0.5", "127.0.0.1", "::1", "fe80::1", "2001:db8::5"}) ==
              std::vector<std::string>{"10.0.0.5", "2001:db8::5"});
        CHECK(usable_addresses({"127.0.0.1"}) == std::vector<std::string>{"127.0.0.1"});
    }

    TEST_CASE("what setup writes is a configuration that keeps all listeners") {
        CHECK(setup_config({}, "/d").empty());
        SetupAnswers answers;
        answers.names = {"school.example"};
        answers.mqtt_port = 8884;
        const Loaded loaded = load(setup_config(answers, "/d"));
        CHECK(loaded.config.server.names == std::vector<std::string>{"school.example"});
        REQUIRE(loaded.config.listeners.size() == 4);
        const auto defaults = default_listeners("/d");
        for (const Listener& listener : loaded.config.listeners) {
            const auto same =
                std::find_if(defaults.begin(), defaults.end(),
                             [&](const Listener& entry) { return entry.name == listener.name; });
            REQUIRE(same != defaults.end());
            CHECK(same->protocol == listener.protocol);
            CHECK(same->path == listener.path);
            CHECK(same->client_certificate == listener.client_certificate);
            CHECK(listener.bind == (listener.name == "mqtts" ? "[::]:8884" : same->bind));
        }
    }
}
