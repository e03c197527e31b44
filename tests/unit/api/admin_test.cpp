// The resources over a real registry and CA, through the whole table.
#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "api/bundle/zip.hpp"
#include "certs/certificate.hpp"
#include "certs/private_key.hpp"
#include "tests/unit/api/installation.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

json::object body_of(const Response& response) {
    return json::parse(response.body).as_object();
}

std::string text(const json::value& value) {
    return json::value_to<std::string>(value);
}

std::string code_of(const Response& response) {
    const json::object body = body_of(response);
    return body.contains("code") ? text(body.at("code")) : std::string{};
}

std::string header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

/// A class 7b is there.
struct School : Installation {
    School() {
        REQUIRE(post("/api/v1/classes", R"({"name":"7b","ends_on":"2027-02-05"})").status == 201);
    }

    json::object thing(const std::string& project = "otter", const std::string& name = "weather") {
        const Response made = post(
            "/api/v1/things",
            json::serialize(json::object{{"class", "7b"}, {"project", project}, {"name", name}}));
        REQUIRE_MESSAGE(made.status == 201, made.body);
        return body_of(made);
    }
};

}  // namespace

TEST_SUITE("api.admin") {
    TEST_CASE_FIXTURE(School, "a class is made, shown, listed, changed, extended and deleted") {
        const Response shown = get("/api/v1/classes/7b");
        CHECK(shown.status == 200);
        CHECK(header(shown, "ETag") == "\"1\"");
        json::object body = body_of(shown);
        CHECK(body.at("ends_on") == "2027-02-05");
        CHECK(body.at("state") == "open");
        CHECK(body.at("limits").at("things_per_project_max") == 5);

        Ask change{.method = "PATCH",
                   .target = "/api/v1/classes/7b",
                   .body = R"({"limits":{"burst":9},"strict_isolation":true})",
                   .if_match = "\"1\""};
        const Response changed = ask(change);
        CHECK(changed.status == 200);
        body = body_of(changed);
        CHECK(body.at("limits").at("burst") == 9);
        CHECK(body.at("effective") == true);
        CHECK(ask(change).status == 412);  // the rev is another one now

        CHECK(
            body_of(post("/api/v1/classes/7b:extend", R"({"until":"2027-03-01"})")).at("ends_on") ==
            "2027-03-01");
        CHECK(body_of(get("/api/v1/classes")).at("items").as_array().size() == 1);

        thing();
        CHECK(ask({.method = "DELETE", .target = "/api/v1/classes/7b"}).status == 409);
        const Response dry =
            ask({.method = "DELETE", .target = "/api/v1/classes/7b?cascade&dry_run=true"});
        CHECK(body_of(dry).at("things") == 1);
        CHECK(get("/api/v1/classes/7b").status == 200);
        const Response gone = ask({.method = "DELETE", .target = "/api/v1/classes/7b?cascade"});
        CHECK(body_of(gone).at("certificates_revoked") == 1);
        CHECK(get("/api/v1/classes/7b").status == 404);
    }

    TEST_CASE_FIXTURE(School, "every wrong field of a body is told with its pointer") {
        const Response response = post(
            "/api/v1/classes", R"({"ends_on":"soon","limits":{"burst":"x","bust":1},"nmae":"8a"})");
        CHECK(response.status == 400);
        CHECK(code_of(response) == "E4104");
        const json::array errors = body_of(response).at("errors").as_array();
        std::vector<std::string> pointers;
        for (const json::value& error : errors) {
            pointers.push_back(text(error.at("pointer")));
        }
        CHECK(pointers == std::vector<std::string>{"/ends_on", "/limits/burst", "/limits/bust",
                                                   "/nmae", "/name"});
    }

    TEST_CASE_FIXTURE(School, "a body that is no JSON object is refused with its place") {
        for (const char* bad : {"{\"name\":\n  nope}", "{\"name\":\"a\"", "[1]", "{} {}", "\xff"}) {
            CAPTURE(bad);
            const Response response = post("/api/v1/classes", bad);
            CHECK(response.status == 400);
            CHECK(code_of(response) == "E4101");
        }
        const Response placed = post("/api/v1/classes", "{\"name\":\n  nope}");
        CHECK(text(body_of(placed).at("detail")).find("line 2, column") != std::string::npos);
    }

    TEST_CASE_FIXTURE(School, "a thing is made in one call, with a certificate that fits its key") {
        const Response made =
            post("/api/v1/things",
                 R"({"class":"7b","project":"otter","name":"weather","board":"esp32-arduino"})");
        REQUIRE(made.status == 201);
        CHECK(made.secret);
        json::object body = body_of(made);
        CHECK(header(made, "Location") == "/api/v1/things/" + text(body.at("id")));
        CHECK(body.at("path") == "7b/otter/weather");
        CHECK(body.at("aws_name") == "7b:otter:weather");
        CHECK(body.at("topics").at("publish") == json::array{"7b/otter/weather/#", "7b/commons/#"});
        CHECK(body.at("endpoint") ==
              json::parse(R"({"host":"iotsky.local","addresses":["10.20.0.5"],"port":8883})"));
        CHECK(body.at("ca").as_array().size() == 2);
        CHECK(body.at("effective") == true);
        const auto certificate = certs::Certificate::parse(text(body.at("certificate").at("pem")));
        REQUIRE(certificate.has_value());
        const auto key =
            certs::PrivateKey::from_pem(SecretString{text(body.at("private_key"))}.view(), {});
        REQUIRE(key.has_value());
        CHECK(key->public_key() == certificate->public_key());
        CHECK(
            code_of(post("/api/v1/things", R"({"class":"7b","project":"otter","name":"weather"})"))
                .starts_with("E21"));
    }

    TEST_CASE_FIXTURE(School, "a missing class is 404 and says how to make it") {
        const Response response =
            post("/api/v1/things", R"({"class":"8a","project":"otter","name":"weather"})");
        CHECK(response.status == 404);
        CHECK(text(body_of(response).at("hint")).find("iotsky class create 8a") !=
              std::string::npos);
    }

    TEST_CASE_FIXTURE(School,
                      "the same Idempotency-Key gives the same thing; the key until delivered") {
        Ask create{.method = "POST",
                   .target = "/api/v1/things",
                   .body = R"({"class":"7b","project":"otter","name":"weather"})",
                   .idempotency_key = "6f0c"};
        const Response first = ask(create);
        REQUIRE(first.status == 201);
        const Response second = ask(create);
        REQUIRE(second.status == 201);
        CHECK(body_of(first).at("private_key") == body_of(second).at("private_key"));
        CHECK(body_of(first).at("id") == body_of(second).at("id"));
        REQUIRE(second.delivered);
        second.delivered(true);
        const Response third = ask(create);
        CHECK(third.status == 409);
        CHECK(code_of(third) == "E4102");
        create.body = R"({"class":"7b","project":"otter","name":"door"})";
        const Response other = ask(create);
        CHECK(other.status == 422);
        CHECK(code_of(other) == "E4103");
    }

    TEST_CASE_FIXTURE(School, "a bundle can be fetched once, within ten minutes") {
        const std::string url = text(thing().at("bundle_url"));
        const Response wrong = get("/api/v1/things/th_0/bundle" + url.substr(url.find('?')));
        CHECK(wrong.status == 410);
        const Response bundle = get(url, "");
        CHECK(bundle.status == 200);
        CHECK(bundle.content_type == "application/zip");
        CHECK(bundle.secret);
        CHECK(bundle.body.starts_with("PK"));
        const Response again = get(url);
        CHECK(again.status == 410);
        CHECK(code_of(again) == "E4122");
        const std::string late = text(thing("otter", "door").at("bundle_url"));
        clock.advance(std::chrono::minutes{10});
        CHECK(get(late).status == 410);
    }

    TEST_CASE_FIXTURE(School,
                      "a later bundle issues a certificate, and revokes the old when asked") {
        thing();
        const Response kept = post("/api/v1/things/7b:otter:weather/bundle", "{}");
        CHECK(kept.status == 200);
        CHECK(header(kept, "Iotsky-Effective") == "true");
        const auto certificates = [&] {
            return body_of(get("/api/v1/things/7b:otter:weather/certificates"))
                .at("items")
                .as_array();
        };
        CHECK(certificates().size() == 2);
        post("/api/v1/things/7b:otter:weather/bundle", R"({"revoke_old":true})");
        const json::array after = certificates();
        REQUIRE(after.size() == 3);
        CHECK(after[0].at("status") == "revoked");
        CHECK(after[1].at("status") == "revoked");
        CHECK(after[2].at("status") == "active");
    }

    TEST_CASE_FIXTURE(School, "the bundles of a class are one archive") {
        thing("otter", "weather");
        thing("heron", "door");
        const Response bundles = post("/api/v1/classes/7b/bundles", "{}");
        CHECK(bundles.status == 200);
        CHECK(bundles.body.find("otter/weather/certs/device.key") != std::string::npos);
        CHECK(bundles.body.find("heron/door/certs/device.key") != std::string::npos);
    }

    TEST_CASE_FIXTURE(School,
                      "revoking says whether it is in force, and how many connections fell") {
        const json::object made = thing();
        const std::string serial = text(made.at("certificate").at("serial"));
        const Response revoked =
            post("/api/v1/certificates/" + serial + ":revoke", R"({"reason":"lost"})");
        REQUIRE(revoked.status == 200);
        json::object body = body_of(revoked);
        CHECK(body.at("status") == "revoked");
        CHECK(body.at("revoke_reason") == "lost");
        CHECK(body.at("effective") == true);
        CHECK(rights.revoked == 1);
        rights.acknowledges = false;
        const json::object other = thing("otter", "door");
        const Response unsure = post(
            "/api/v1/certificates/" + text(other.at("certificate").at("serial")) + ":revoke", "");
        CHECK(body_of(unsure).at("effective") == false);
    }

    TEST_CASE_FIXTURE(School, "renewal hands out a successor") {
        const std::string serial = text(thing().at("certificate").at("serial"));
        const Response renewed =
            post("/api/v1/certificates/" + serial + ":renew", R"({"key_type":"rsa2048"})");
        REQUIRE(renewed.status == 201);
        const json::object body = body_of(renewed);
        CHECK(body.at("certificate").at("key_type") == "rsa2048");
        CHECK(body.at("certificate").at("things") == json::array{"7b/otter/weather"});
        CHECK(body.contains("private_key"));
        CHECK(body_of(get("/api/v1/certificates?status=active")).at("items").as_array().size() ==
              2);
    }

    TEST_CASE_FIXTURE(School, "a service identity has the rights of its policy file alone") {
        const Response made = post("/api/v1/certificates", R"({"service":"grader","policy":
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}})");
        REQUIRE_MESSAGE(made.status == 201, made.body);
        const json::object body = body_of(made);
        CHECK(body.at("certificate").at("service") == "grader");
        CHECK_FALSE(body.contains("bundle_url"));
        CHECK(get("/api/v1/policies/service-grader").status == 200);
    }

    TEST_CASE_FIXTURE(School, "policies: made, checked, in versions, attached and detached") {
        const std::string allow =
            R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Publish","Resource":"*"}]})";
        CHECK(post("/api/v1/policies", R"({"name":"p","document":)" + allow + "}").status == 201);
        const Response bad = post(
            "/api/v1/policies:check",
            R"({"document":"{\"Version\":\"2012-10-17\",\n \"Statement\":[{\"Effect\":\"Alow\"}]}"})");
        CHECK(bad.status == 400);
        CHECK(text(body_of(bad).at("detail")).find("line 2") != std::string::npos);
        CHECK(post("/api/v1/policies/p/versions", R"({"document":)" + allow + "}").status == 201);
        CHECK(body_of(get("/api/v1/policies/p")).at("default_version") == 2);
        const json::object page = body_of(get("/api/v1/policies/p/versions?limit=1"));
        CHECK(page.at("items").as_array().size() == 1);
        const json::object rest = body_of(
            get("/api/v1/policies/p/versions?limit=1000&cursor=" + text(page.at("next_cursor"))));
        REQUIRE(rest.at("items").as_array().size() == 1);
        CHECK(rest.at("items").as_array()[0].at("version") == 2);
        CHECK(rest.at("items").as_array()[0].at("default") == true);
        CHECK_FALSE(rest.contains("next_cursor"));
        CHECK(body_of(post("/api/v1/policies/p/versions/1:default", "")).at("effective") == true);
        CHECK(ask({.method = "DELETE", .target = "/api/v1/policies/p/versions/2"}).status == 200);
        CHECK(get("/api/v1/policies/p/versions/9").status == 404);
        thing();
        const std::string target = R"({"target":{"kind":"thing","name":"7b/otter/weather"}})";
        CHECK(body_of(post("/api/v1/policies/p:attach", target)).at("effective") == true);
        CHECK(ask({.method = "DELETE", .target = "/api/v1/policies/p"}).status == 409);
        CHECK(body_of(get("/api/v1/policies/p")).at("targets").as_array().size() == 1);
        CHECK(post("/api/v1/policies/p:detach", target).status == 200);
        CHECK(
            post("/api/v1/policies/p:attach", R"({"target":{"kind":"moon","name":"x"}})").status ==
            400);
        CHECK(ask({.method = "DELETE", .target = "/api/v1/policies/p"}).status == 200);
    }

    TEST_CASE_FIXTURE(School, "explain: the verdict, what was tried, and the nearest topic") {
        thing();
        const Response refused =
            post("/api/v1/explain",
                 R"({"identity":"7b/otter/weather","action":"publish","topic":"7b/heron/door"})");
        REQUIRE_MESSAGE(refused.status == 200, refused.body);
        json::object body = body_of(refused);
        CHECK(body.at("allowed") == false);
        CHECK(body.at("code") == "E3101");
        CHECK_FALSE(body.at("checked").as_array().empty());
        const Response allowed =
            post("/api/v1/explain",
                 R"({"identity":"7b:otter:weather","action":"publish","topic":"$me/temp"})");
        CHECK(body_of(allowed).at("allowed") == true);
        CHECK(body_of(allowed).at("resource") == "7b/otter/weather/temp");
        CHECK(post("/api/v1/explain", R"({"identity":"7b/otter/weather","action":"publish"})")
                  .status == 400);
        CHECK(
            post("/api/v1/explain", R"({"identity":"7b/otter/none","action":"connect"})").status ==
            404);
        clock.advance(std::chrono::hours{24 * 365});
        const Response over =
            post("/api/v1/explain", R"({"identity":"7b/otter/weather","action":"connect"})");
        CHECK(body_of(over).at("code") == "E2102");
    }

    TEST_CASE_FIXTURE(School,
                      "a roster is imported: rows, things, bundles; a dry run changes nothing") {
        const std::string csv = "Name;Projekt\nLena M.;otter\nJan K.;heron\n";
        Ask import{.method = "POST",
                   .target = "/api/v1/classes/7b/roster?thing=weather&dry_run=true",
                   .body = csv,
                   .content_type = "text/csv"};
        const Response dry = ask(import);
        REQUIRE_MESSAGE(dry.status == 200, dry.body);
        CHECK(body_of(dry).at("summary").at("created") == 2);
        CHECK(body_of(get("/api/v1/classes/7b/students")).at("items").as_array().empty());
        import.target = "/api/v1/classes/7b/roster?thing=weather";
        const json::object body = body_of(ask(import));
        const json::array rows = body.at("rows").as_array();
        REQUIRE(rows.size() == 2);
        CHECK(rows[0].at("result") == "created");
        CHECK(rows[0].at("thing") == "7b/otter/weather");
        CHECK(get(text(rows[0].at("bundle_url"))).status == 200);
        CHECK(body_of(ask(import)).at("summary").at("existing") == 2);
    }

    TEST_CASE_FIXTURE(School, "students and projects: made, shown, changed, removed") {
        CHECK(post("/api/v1/classes/7b/students",
                   R"({"pseudonym":"otter","real_name":"Lena M.","project":"boat"})")
                  .status == 201);
        CHECK(body_of(get("/api/v1/classes/7b/students/otter")).at("real_name") == "Lena M.");
        CHECK(body_of(get("/api/v1/classes/7b/projects/boat")).at("students") ==
              json::array{"otter"});
        const Response forgotten = ask({.method = "PATCH",
                                        .target = "/api/v1/classes/7b/students/otter",
                                        .body = R"({"real_name":null})"});
        CHECK(body_of(forgotten).at("real_name") == nullptr);
        CHECK(ask({.method = "DELETE", .target = "/api/v1/classes/7b/students/otter"}).status ==
              200);
        CHECK(get("/api/v1/classes/7b/students/otter").status == 404);
        CHECK(ask({.method = "DELETE", .target = "/api/v1/classes/7b/projects/boat"}).status ==
              200);
    }

    TEST_CASE_FIXTURE(School, "things are renamed, described and deleted") {
        thing();
        const Response renamed = ask({.method = "PATCH",
                                      .target = "/api/v1/things/7b%2Fotter%2Fweather",
                                      .body = R"({"name":"station","attributes":{"room":"12"}})"});
        REQUIRE_MESSAGE(renamed.status == 200, renamed.body);
        CHECK(body_of(renamed).at("path") == "7b/otter/station");
        CHECK(body_of(renamed).at("attributes").at("room") == "12");
        CHECK(body_of(get("/api/v1/things?class=7b&q=stat")).at("items").as_array().size() == 1);
        const Response gone =
            ask({.method = "DELETE", .target = "/api/v1/things/7b:otter:station"});
        CHECK(body_of(gone).at("certificates_revoked") == 1);
        CHECK(get("/api/v1/things/7b:otter:station").status == 404);
    }

    TEST_CASE_FIXTURE(School, "callers reach their own class and project, nothing else") {
        REQUIRE(post("/api/v1/classes", R"({"name":"8a"})").status == 201);
        thing("otter", "weather");
        thing("heron", "door");
        const std::string teacher = token(Role::teacher, "8a");
        const std::string student = token(Role::student, "7b", "otter");
        CHECK(get("/api/v1/classes/7b", teacher).status == 403);
        CHECK(get("/api/v1/classes/8a", teacher).status == 200);
        CHECK(get("/api/v1/things/7b:otter:weather", student).status == 200);
        CHECK(get("/api/v1/things/7b:heron:door", student).status == 403);
        CHECK(code_of(get("/api/v1/things/7b:heron:door", student)) == "E4118");
        CHECK(body_of(get("/api/v1/things", student)).at("items").as_array().size() == 1);
        CHECK(post("/api/v1/publish", R"({"topic":"7b/otter/x"})", teacher).status == 403);
        CHECK(get("/api/v1/retained?filter=7b/%23", teacher).status == 403);
        CHECK(get("/api/v1/connections?class=7b", teacher).status == 403);
        CHECK(get("/api/v1/refusals?class=7b", teacher).status == 403);
    }

    TEST_CASE_FIXTURE(School, "tokens are shown once, narrow their bearer, and can be revoked") {
        const Response made =
            post("/api/v1/tokens",
                 R"({"name":"laptop","role":"teacher","class":"7b","expires_in":"90d"})");
        REQUIRE_MESSAGE(made.status == 201, made.body);
        CHECK(made.secret);
        const std::string token = text(body_of(made).at("token"));
        CHECK(token.starts_with("iot_"));
        CHECK(get("/api/v1/classes/7b", token).status == 200);
        CHECK(get("/api/v1/tokens").body.find(token) == std::string::npos);
        CHECK(get("/api/v1/tokens", token).status == 403);
        const std::string id = text(body_of(made).at("id"));
        CHECK(ask({.method = "DELETE", .target = "/api/v1/tokens/" + id}).status == 200);
        CHECK(get("/api/v1/classes/7b", token).status == 401);
        CHECK(post("/api/v1/tokens", R"({"name":"x","role":"king"})").status == 400);
        CHECK(post("/api/v1/tokens", R"({"name":"x","role":"admin","expires_in":"90 moons"})")
                  .status == 400);
    }

    TEST_CASE_FIXTURE(School, "events are read by number; an empty poll says so") {
        thing();
        const json::object body = body_of(get("/api/v1/events?kind=thing."));
        REQUIRE_FALSE(body.at("items").as_array().empty());
        for (const json::value& item : body.at("items").as_array()) {
            CHECK(text(item.at("kind")).starts_with("thing."));
            CHECK(item.at("body").is_object());
        }
        const std::string after = std::to_string(body.at("next_after").as_int64());
        const Response nothing = get("/api/v1/events?after=" + after);
        CHECK(nothing.nothing_yet);
        CHECK(body_of(nothing).at("next_after") == body.at("next_after"));
        CHECK(get("/api/v1/events?after=-1").status == 400);
    }

    TEST_CASE_FIXTURE(School, "the audit log can be read and checked") {
        thing();
        CHECK_FALSE(body_of(get("/api/v1/audit")).at("items").as_array().empty());
        CHECK(body_of(get("/api/v1/audit:verify")).at("valid") == true);
    }

    TEST_CASE_FIXTURE(School, "a dry run of the chain keeps nothing") {
        const Response ran = post(
            "/api/v1/chain:run",
            R"({"chain":"create-thing","event":{"class":"7b","project":"otter","name":"weather"}})");
        REQUIRE_MESSAGE(ran.status == 200, ran.body);
        CHECK_FALSE(body_of(ran).at("events").as_array().empty());
        CHECK(get("/api/v1/things/7b:otter:weather").status == 404);
        CHECK_FALSE(body_of(get("/api/v1/chain")).at("steps").as_array().empty());
        CHECK(post("/api/v1/chain:run", R"({"event":{}})").status == 400);
    }

    TEST_CASE_FIXTURE(School, "the certification authorities are public, their keys are not") {
        CHECK(get("/ca.crt").body.starts_with("-----BEGIN CERTIFICATE-----"));
        const json::object ca = body_of(get("/api/v1/ca"));
        CHECK(ca.size() == 4);
        CHECK(text(ca.at("server").at("pem")).find("PRIVATE") == std::string::npos);
        CHECK(get("/api/v1/ca/crl").content_type == "application/pkix-crl");
        CHECK(get("/api/v1/ca/crl?format=pem").body.starts_with("-----BEGIN X509 CRL-----"));
        const Response exported =
            post("/api/v1/ca/device-root:export", R"({"passphrase":"correct horse"})");
        REQUIRE_MESSAGE(exported.status == 200, exported.body);
        CHECK(exported.secret);
        CHECK(text(body_of(exported).at("pem")).find("ENCRYPTED PRIVATE KEY") != std::string::npos);
        CHECK(post("/api/v1/ca/device:export", R"({"passphrase":"x"})").status >= 400);
    }

    TEST_CASE_FIXTURE(School, "the configuration is shown, checked and reloaded") {
        CHECK(body_of(get("/api/v1/config")).at("values").at(0).at("value") ==
              json::array{"iotsky.local"});
        CHECK(post("/api/v1/config:check", R"({"toml":"a = 1"})").status == 200);
        const Response bad = post("/api/v1/config:check", R"({"toml":"unknown = 1"})");
        CHECK(bad.status == 400);
        CHECK(body_of(bad).at("errors").at(0).at("pointer") == "line 1, column 1");
        CHECK(body_of(post("/api/v1/config:reload", "")).at("changed").as_array().size() == 1);
    }

    TEST_CASE_FIXTURE(School, "a backup is begun, shown, listed and deleted, by the admin alone") {
        const Response begun = post("/api/v1/backups", R"({"passphrase":"correct horse"})");
        REQUIRE_MESSAGE(begun.status == 202, begun.body);
        CHECK(text(body_of(begun).at("state")) == "running");
        CHECK(body_of(begun).at("encrypted") == true);
        const std::string path = "/api/v1/backups/" + text(body_of(begun).at("name"));
        CHECK(text(body_of(get(path)).at("state")) == "done");
        REQUIRE(post("/api/v1/backups", R"({"passphrase":""})").status == 202);
        CHECK(body_of(get("/api/v1/backups")).at("items").as_array().size() == 2);
        CHECK(body_of(get("/api/v1/backups?limit=1")).at("items").as_array().size() == 1);
        CHECK(post("/api/v1/backups", "{}").status == 400);
        const std::string teacher = token(Role::teacher, "7b");
        CHECK(get("/api/v1/backups", teacher).status == 403);
        CHECK(post("/api/v1/backups", R"({"passphrase":""})", teacher).status == 403);
        CHECK(ask({.method = "DELETE", .target = path}).status == 200);
        CHECK(get(path).status == 404);
    }
}

}  // namespace iotsky::api
