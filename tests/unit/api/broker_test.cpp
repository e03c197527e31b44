// What the endpoint shows and does of the data plane.
#include <doctest/doctest.h>

#include <array>
#include <boost/json.hpp>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/unit/api/installation.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

json::object body_of(const Response& response) {
    return json::parse(response.body).as_object();
}

std::size_t count(const Response& response) {
    return body_of(response).at("items").as_array().size();
}

ConnectionInfo connection(std::string client_id, std::string path) {
    ConnectionInfo info;
    info.client_id = std::move(client_id);
    info.identity = info.thing_path = std::move(path);
    info.listener = info.protocol = "mqtts";
    return info;
}

/// Class 7b with otter/weather and heron/door connected.
struct Lesson : Installation {
    Lesson() {
        post("/api/v1/classes", R"({"name":"7b"})");
        post("/api/v1/classes", R"({"name":"8a"})");
        post("/api/v1/things", R"({"class":"7b","project":"otter","name":"weather"})");
        post("/api/v1/things", R"({"class":"7b","project":"heron","name":"door"})");
        broker.live = {connection("a", "7b/otter/weather"), connection("b", "7b/heron/door"),
                       connection("c", "8a/lynx/lamp")};
        SessionInfo session;
        session.id = "s1";
        session.thing_path = "7b/otter/weather";
        session.filters = {{"7b/otter/#", 1}};
        broker.stored["s1"] = session;
        for (const char* topic : {"7b/a", "7b/b", "7b/c"}) {
            broker.retained_messages[topic] = {topic, 1, 5, "hello", clock.wall_now()};
        }
    }
};

}  // namespace

TEST_SUITE("api.broker") {
    TEST_CASE_FIXTURE(Lesson, "connections are listed, by class and thing, and kicked") {
        CHECK(count(get("/api/v1/connections")) == 3);
        CHECK(count(get("/api/v1/connections?class=7b")) == 2);
        CHECK(count(get("/api/v1/connections?thing=7b:otter:weather")) == 1);
        CHECK(count(get("/api/v1/connections?limit=1")) == 1);
        CHECK(post("/api/v1/connections:kick", "{}").status == 400);
        const std::string teacher = token(Role::teacher, "7b");
        CHECK(post("/api/v1/connections:kick", R"({"class":"8a"})", teacher).status == 403);
        CHECK(body_of(post("/api/v1/connections:kick", R"({"client_id":"c"})", teacher))
                  .at("kicked") == 0);
        CHECK(body_of(post("/api/v1/connections:kick", R"({"thing":"7b/otter/weather"})", teacher))
                  .at("kicked") == 1);
        CHECK(count(get("/api/v1/connections")) == 2);
    }

    TEST_CASE_FIXTURE(Lesson, "a thing shows its connections") {
        const json::object thing = body_of(get("/api/v1/things/7b:otter:weather"));
        CHECK(thing.at("connections").at(0).at("client_id") == "a");
    }

    TEST_CASE_FIXTURE(Lesson, "sessions are listed, shown with their filters, and dropped") {
        CHECK(count(get("/api/v1/sessions")) == 1);
        CHECK(body_of(get("/api/v1/sessions/s1")).at("filters").at(0).at("filter") == "7b/otter/#");
        CHECK(get("/api/v1/sessions/s2").status == 404);
        const std::string other = token(Role::teacher, "8a");
        CHECK(get("/api/v1/sessions/s1", other).status == 403);
        CHECK(ask({.method = "DELETE", .target = "/api/v1/sessions/s1", .token = other}).status ==
              403);
        CHECK(ask({.method = "DELETE", .target = "/api/v1/sessions/s1"}).status == 200);
        CHECK(get("/api/v1/sessions/s1").status == 404);
    }

    TEST_CASE_FIXTURE(Lesson, "retained messages come in pages and are deleted by filter only") {
        const json::object first = body_of(get("/api/v1/retained?limit=2"));
        CHECK(first.at("items").as_array().size() == 2);
        CHECK(first.at("items").at(0).at("payload_base64") == "aGVsbG8=");
        CHECK(first.at("next_cursor") == "7b/b");
        const json::object last = body_of(get("/api/v1/retained?limit=2&cursor=7b/b"));
        CHECK(last.at("items").as_array().size() == 1);
        CHECK_FALSE(last.contains("next_cursor"));
        CHECK(get("/api/v1/retained?filter=a%2Bb").status == 400);
        CHECK(ask({.method = "DELETE", .target = "/api/v1/retained"}).status == 400);
        CHECK(body_of(ask({.method = "DELETE",
                           .target = "/api/v1/retained?filter=7b/%23&dry_run=true"}))
                  .at("deleted") == 3);
        CHECK(broker.retained_messages.size() == 3);
        CHECK(body_of(ask({.method = "DELETE", .target = "/api/v1/retained?filter=7b/%23"}))
                  .at("deleted") == 3);
    }

    TEST_CASE_FIXTURE(Lesson,
                      "messages are published as text or bytes, on valid topics of the own class") {
        CHECK(body_of(post("/api/v1/publish",
                           R"({"topic":"7b/board/hi","payload":"x","qos":1,"retain":true})"))
                  .at("matched") == 1);
        CHECK(post("/api/v1/publish", R"({"topic":"7b/x","payload_base64":"AAH/"})").status == 200);
        REQUIRE(broker.published.size() == 2);
        CHECK(broker.published[0].retain);
        CHECK(broker.published[1].payload == std::string("\x00\x01\xff", 3));
        for (const char* bad : {R"({"topic":"7b/+"})", R"({"topic":""})", R"({"topic":"$SYS/x"})",
                                R"({"topic":"a","qos":3})", R"({"topic":"a","payload_base64":"!"})",
                                R"({"topic":"a","payload":"x","payload_base64":"AAAA"})"}) {
            CAPTURE(bad);
            CHECK(post("/api/v1/publish", bad).status == 400);
        }
        CHECK(broker.published.size() == 2);
    }

    TEST_CASE_FIXTURE(Lesson, "refusals are listed by thing and class; handshakes by address") {
        provisioning::Refusal refusal;
        refusal.number = "E3101";
        refusal.class_name = "7b";
        refusal.topic = "7b/heron/door";
        refusal.thing_id =
            json::value_to<std::string>(body_of(get("/api/v1/things/7b:otter:weather")).at("id"));
        refusals.add(refusal);
        CHECK(count(get("/api/v1/refusals")) == 1);
        CHECK(count(get("/api/v1/things/7b:otter:weather/refusals")) == 1);
        CHECK(count(get("/api/v1/things/7b:heron:door/refusals")) == 0);
        CHECK(count(get("/api/v1/refusals", token(Role::teacher, "8a"))) == 0);
        HandshakeFailure failure;
        failure.number = "E3203";
        failure.address = "10.20.3.77";
        handshakes.add(failure);
        CHECK(count(get("/api/v1/handshakes?address=10.20.3.77")) == 1);
        CHECK(count(get("/api/v1/handshakes?address=10.20.3.78")) == 0);
        CHECK(get("/api/v1/handshakes?cursor=x").status == 400);
    }

    TEST_CASE_FIXTURE(Lesson, "status and readiness tell the state of the log") {
        broker.counters.connections = {{{"mqtts", "mqtts"}, 3}};
        json::object status = body_of(get("/api/v1/status"));
        CHECK(status.at("version") == "0.1.0");
        CHECK(status.at("connections") == 3);
        CHECK(status.at("listeners").at(0).at("connections") == 3);
        CHECK(status.at("registry").at("things") == 2);
        CHECK(status.at("ready") == true);
        CHECK(get("/health/live").status == 200);
        CHECK(get("/health/ready").status == 200);
        broker.counters.log_accepting = false;
        broker.counters.log_reason = "no space left";
        const Response ready = get("/health/ready");
        CHECK(ready.status == 503);
        CHECK(body_of(ready).at("why") == "no space left");
        status = body_of(get("/api/v1/status"));
        CHECK(status.at("ready") == false);
        CHECK(status.at("log").at("healthy") == false);
        machine.facts.ready = false;
        CHECK(body_of(get("/api/v1/health/ready")).at("why") == "starting");
    }

    TEST_CASE_FIXTURE(Lesson, "a silent broker is E4126, and status still answers") {
        broker.silent = true;
        const Response metrics = get("/metrics");
        CHECK(metrics.status == 503);
        CHECK(body_of(metrics).at("code") == "E4126");
        CHECK(body_of(get("/api/v1/status")).at("ready") == false);
    }

    TEST_CASE_FIXTURE(Lesson, "metrics have the names of the product and well-formed lines") {
        broker.counters.connections = {{{"mqtts", "mqtts"}, 3}};
        broker.counters.refusals = {{{"publish", "E3101"}, 2}};
        broker.counters.brakes = {{{"publish"}, 4}};
        broker.counters.things_connected = {{{"7b"}, 1}};
        broker.counters.busiest_things = {{{"7b", "7b/otter/weather"}, 9}};
        machine.facts.certificates = {{"web", clock.wall_now() + std::chrono::minutes{1}}};
        broker.counters.handshake_seconds = {{0.001, 0.01}, {1, 2, 3}, 0.5};
        broker.counters.store_commit_seconds = {{0.001, 0.01}, {4, 0, 1}, 0.7};
        http.record("/api/v1/things", "GET", 200, std::chrono::milliseconds{2});
        const Response response = get("/metrics");
        REQUIRE(response.status == 200);
        CHECK(response.content_type.starts_with("text/plain; version=0.0.4"));
        const std::regex comment{R"(# (HELP|TYPE) [a-z_]+ .+)"};
        const std::regex sample{
            R"re([a-z_]+(\{[a-z_]+="([^"\\\n]|\\.)*"(,[a-z_]+="([^"\\\n]|\\.)*")*\})? [-+.0-9eInfNa]+)re"};
        std::set<std::string> families;
        std::set<std::string> series;
        std::istringstream lines{response.body};
        for (std::string line; std::getline(lines, line);) {
            CAPTURE(line);
            CHECK((std::regex_match(line, comment) || std::regex_match(line, sample)));
            if (line.starts_with("# TYPE ")) {
                CHECK(families.insert(line.substr(7, line.find(' ', 7) - 7)).second);
                CHECK((line.find("_total ") != std::string::npos) == line.ends_with(" counter"));
            } else if (!line.starts_with('#')) {
                CHECK(series.insert(line.substr(0, line.rfind(' '))).second);
            }
        }
        std::ifstream page{std::string{IOTSKY_SOURCE_DIR} + "/docs/metrics.md"};
        std::set<std::string> documented;
        for (std::string line; std::getline(page, line);) {
            if (line.starts_with("| `")) {
                documented.insert(line.substr(3, line.find_first_of("`{", 3) - 3));
            }
        }
        CHECK(documented == families);
        const auto says = [&](const std::string& line) {
            CAPTURE(line);
            CHECK(response.body.find("\n" + line + "\n") != std::string::npos);
        };
        says("iotsky_things{class=\"7b\",state=\"connected\"} 1");
        says("iotsky_things{class=\"7b\",state=\"offline\"} 1");
        says("iotsky_things{class=\"7b\",state=\"blocked\"} 0");
        says("iotsky_refusals_total{action=\"publish\",reason=\"E3101\"} 2");
        says("iotsky_brakes_total{stage=\"publish\"} 4");
        says("iotsky_thing_messages_total{class=\"7b\",thing=\"7b/otter/weather\"} 9");
        says("iotsky_certificate_expiry_seconds{kind=\"web\"} 60");
        says("iotsky_provisioning_seconds_count 2");
        CHECK(response.body.find("file=\"messages.db\"") == std::string::npos);
    }

    TEST_CASE_FIXTURE(Lesson, "a thing that may not connect any more is blocked, not offline") {
        const auto certificate = registry->things.show(admin, "7b/otter/weather")->certificates[0];
        REQUIRE(registry->certificates.revoke(admin, certificate.serial, "lost").has_value());
        const std::string text = get("/metrics").body;
        CHECK(text.find("iotsky_things{class=\"7b\",state=\"blocked\"} 1\n") != std::string::npos);
        CHECK(text.find("iotsky_things{class=\"7b\",state=\"offline\"} 1\n") != std::string::npos);
    }
}

}  // namespace iotsky::api
