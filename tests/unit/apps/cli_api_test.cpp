#include <sys/stat.h>

#include "tests/unit/apps/cli_run.hpp"
#include "tests/unit/apps/fake_api.hpp"

using namespace iotsky::apps::test;

namespace {

/// The fake API and a runner that talks to it.
struct Fixture {
    TemporaryFolder folder;
    FakeApi api{folder.path() / "s"};
    Runner run;

    Fixture() { run.variables["IOTSKY_SERVER"] = "unix:" + (folder.path() / "s").string(); }
};

std::string problem(unsigned status, const std::string& code) {
    return R"({"type":"/help/)" + code + R"(","title":"t","status":)" + std::to_string(status) +
           R"(,"detail":"What.","code":")" + code +
           R"(","why":"Why.","hint":"How.","errors":[{"pointer":"/name","message":"bad"}]})";
}

struct StatusRow {
    unsigned status;
    int code;
};

constexpr const char* kThings =
    R"({"items":[{"id":"th_1","path":"7b/otter/weather","board":null,"type":null,"created_at":"2026-11-23T09:14:31Z"},)"
    R"({"id":"th_2","path":"7b/heron/door","board":"esp32-arduino","type":null,"created_at":"2026-11-23T09:14:31Z"}]})";

constexpr const char* kCreated =
    R"({"id":"th_1","path":"7b/otter/weather","topics":{"publish":["7b/otter/weather/#"],"subscribe":["7b/otter/#"]},)"
    R"("endpoint":{"host":"iotsky.local","addresses":["10.0.0.5"],"port":8883},)"
    R"("certificate":{"serial":"4f","pem":"CERT\n"},"private_key":"KEY\n","ca":["CA\n","NEXT\n"]})";

}  // namespace

TEST_SUITE("apps.cli") {
    TEST_CASE("the exit code follows the status of the answer, and the three lines are shown") {
        const StatusRow rows[] = {{400, 2}, {401, 4}, {403, 4}, {404, 3}, {409, 5}, {410, 5},
                                  {412, 5}, {422, 2}, {429, 1}, {500, 1}, {501, 1}, {503, 1}};
        for (const StatusRow& row : rows) {
            CAPTURE(row.status);
            Fixture f;
            f.api.on("GET /api/v1/status",
                     {row.status, problem(row.status, "E4104"), "application/problem+json"});
            const Ran ran = f.run({"status"});
            CHECK(ran.code == row.code);
            CHECK(ran.err.starts_with("E4104 What.\nWhy.\nHow.\n"));
            CHECK(ran.err.find("/name: bad") != std::string::npos);
        }
    }

    TEST_CASE("an answer that is no JSON is told, not shown") {
        Fixture f;
        f.api.on("GET /api/v1/status", {200, "<html>", "text/html"});
        const Ran ran = f.run({"status"});
        CHECK(ran.code == 1);
        CHECK(ran.err.starts_with("E1169"));
    }

    TEST_CASE("lists are tables, arrays, lines or ids, as the flags ask") {
        Fixture f;
        f.api.on("GET /api/v1/things?limit=1000", {200, kThings});
        CHECK(f.run({"thing", "list"}).out ==
              "THING             BOARD          TYPE  CREATED\n"
              "7b/otter/weather  -              -     2026-11-23T09:14:31Z\n"
              "7b/heron/door     esp32-arduino  -     2026-11-23T09:14:31Z\n");
        CHECK(f.run({"thing", "list", "-q"}).out == "th_1\nth_2\n");
        CHECK(f.run({"thing", "list", "--columns", "id,path"}).out ==
              "ID    THING\nth_1  7b/otter/weather\nth_2  7b/heron/door\n");
        CHECK(f.run({"thing", "list", "--json"}).out.starts_with("[{\"id\":\"th_1\""));
        const std::string lines = f.run({"thing", "list", "--jsonl"}).out;
        CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
        const Ran wrong = f.run({"thing", "list", "--columns", "pth"});
        CHECK(wrong.code == 2);
        CHECK(wrong.err.find("\"path\"") != std::string::npos);
    }

    TEST_CASE("all pages of a list are fetched") {
        Fixture f;
        f.api.on("GET /api/v1/classes?limit=1000",
                 {200, R"({"items":[{"id":"1"}],"next_cursor":"a b"})"});
        f.api.on("GET /api/v1/classes?limit=1000&cursor=a%20b", {200, R"({"items":[{"id":"2"}]})"});
        CHECK(f.run({"class", "list", "-q"}).out == "1\n2\n");
    }

    TEST_CASE("names from a peer cannot steer the terminal") {
        Fixture f;
        f.api.on("GET /api/v1/sessions?limit=1000",
                 {200, R"({"items":[{"id":"1","client_id":"a\u001b[2Jb"}]})"});
        CHECK(f.run({"session", "list", "--columns", "client_id"}).out == "CLIENT\na\\x1b[2Jb\n");
    }

    TEST_CASE("thing create writes the files of the identity, the key for its owner alone") {
        Fixture f;
        f.api.on("POST /api/v1/things", {201, kCreated});
        const std::string out = (f.folder.path() / "weather").string();
        const Ran ran =
            f.run({"thing", "create", "7b/otter/weather", "--out", out, "--key-type", "rsa2048"});
        CAPTURE(ran.err);
        REQUIRE(ran.code == 0);
        CHECK(f.folder.read("weather/device.crt") == "CERT\n");
        CHECK(f.folder.read("weather/device.key") == "KEY\n");
        CHECK(f.folder.read("weather/ca.crt") == "CA\n");
        CHECK(f.folder.read("weather/ca-next.crt") == "NEXT\n");
        struct stat status {};
        REQUIRE(::stat((out + "/device.key").c_str(), &status) == 0);
        CHECK((status.st_mode & 0777U) == 0600);
        CHECK(ran.out.find("KEY") == std::string::npos);
        CHECK(f.api.seen().back().body ==
              R"({"name":"weather","class":"7b","project":"otter","key_type":"rsa2048"})");

        const Ran again = f.run({"thing", "create", "7b/otter/weather", "--out", out});
        CHECK(again.code == 5);
        CHECK(again.err.starts_with("E1164"));
        CHECK(f.api.seen().size() == 1);
    }

    TEST_CASE("with --json and no folder the answer itself hands the key over") {
        Fixture f;
        f.api.on("POST /api/v1/things", {201, kCreated});
        CHECK(f.run({"thing", "create", "7b/otter/weather", "--json"}).out.find("KEY") !=
              std::string::npos);
    }

    TEST_CASE("a request is sent as it lies in its file") {
        Fixture f;
        f.api.on("POST /api/v1/things", {201, kCreated});
        const auto csr = f.folder.write("r.csr", "REQUEST\n");
        CHECK(f.run({"thing", "create", "7b/o/w", "--csr", csr.string(), "--json"}).code == 0);
        CHECK(f.api.seen().back().body.find("\"csr\":\"REQUEST\\n\"") != std::string::npos);
        CHECK(f.run({"thing", "create", "7b/o/w", "--csr", "/nonexistent"}).code == 2);
    }

    TEST_CASE(
        "a thing may be named by a prefix that only one has; else the nearest names are told") {
        Fixture f;
        f.api.on("GET /api/v1/things?q=7b%2Fott&limit=1000", {200, kThings});
        f.api.on("GET /api/v1/things?q=7b%2Fotter%2Fweathr&limit=1000", {200, R"({"items":[]})"});
        f.api.on("GET /api/v1/things?limit=1000", {200, kThings});
        f.api.on("POST /api/v1/connections:kick", {200, R"({"kicked":1})"});
        CHECK(f.run({"thing", "kick", "7b/ott"}).code == 0);
        CHECK(f.api.seen().back().body == R"({"thing":"7b/otter/weather"})");

        const Ran unknown = f.run({"thing", "kick", "7b/otter/weathr"});
        CHECK(unknown.code == 3);
        CHECK(unknown.err.find("Did you mean \"7b/otter/weather\"?") != std::string::npos);
    }

    TEST_CASE("dangerous verbs ask; without a terminal they end with code 2 and do nothing") {
        Fixture f;
        f.api.on("DELETE /api/v1/classes/7b", {200, R"({"deleted":"7b"})"});
        const Ran silent = f.run({"class", "delete", "7b"});
        CHECK(silent.code == 2);
        CHECK(silent.err.find("--yes") != std::string::npos);
        CHECK(f.api.seen().empty());

        f.run.terminal = true;
        f.run.input = "7a\n";
        CHECK(f.run({"class", "delete", "7b"}).code == 1);
        CHECK(f.api.seen().empty());
        f.run.input = "7b\n";
        CHECK(f.run({"class", "delete", "7b"}).code == 0);
        CHECK(f.run({"class", "delete", "7b", "--yes"}).code == 0);
    }

    TEST_CASE("a dry run says so to the broker and asks nothing") {
        Fixture f;
        f.api.on("DELETE /api/v1/classes/7b?cascade=true&dry_run=true",
                 {200, R"({"deleted":"7b","things":2})"});
        CHECK(f.run({"class", "delete", "7b", "--cascade", "--dry-run"}).code == 0);
    }

    TEST_CASE(
        "explain shows the verdict with what was checked, and ends with code 8 when refused") {
        Fixture f;
        f.api.on("GET /api/v1/things/7b%2Fotter%2Fweather",
                 {200, R"({"path":"7b/otter/weather"})"});
        f.api.on(
            "POST /api/v1/explain",
            {200,
             R"({"allowed":false,"code":"E3101","identity":"7b/otter/weather",)"
             R"("certificate":{"serial":"4f19","not_after":"2027-05-19T00:00:00Z"},"why":"No rule allows it.",)"
             R"("hint":"Ask for a grant.","statement":null,"nearest":"7b/otter/weather/door",)"
             R"("checked":[{"rule":"default own-tree","pattern":"7b/otter/weather/#","result":"no match"},)"
             R"({"rule":"default project","pattern":"7b/otter/#","result":"not for publish"}]})"});
        const Ran ran = f.run({"explain", "7b/otter/weather", "publish", "7b/heron/door"});
        CHECK(ran.code == 8);
        CHECK(
            ran.out ==
            "REFUSED  E3101\n"
            "  identity   7b/otter/weather  (certificate 4f19, valid until 2027-05-19T00:00:00Z)\n"
            "  checked    1  default own-tree  7b/otter/weather/#  no match\n"
            "             2  default project   7b/otter/#          not for publish\n"
            "  why        No rule allows it.\n"
            "  nearest    7b/otter/weather/door\n"
            "  would help Ask for a grant.\n");
        CHECK(f.api.seen().back().body ==
              R"({"identity":"7b/otter/weather","action":"publish","topic":"7b/heron/door"})");
    }

    TEST_CASE("class set sends only what was given, with units read") {
        Fixture f;
        f.api.on("PATCH /api/v1/classes/7b", {200, R"({"name":"7b"})"});
        CHECK(f.run({"class", "set", "7b", "--payload-max", "64KiB", "--grace", "14d", "--ends",
                     "never"})
                  .code == 0);
        CHECK(f.api.seen().back().body ==
              R"({"ends_on":null,"grace_days":14,"limits":{"payload_bytes_max":65536}})");
        CHECK(f.run({"class", "set", "7b"}).code == 2);
        CHECK(f.run({"class", "set", "7b", "--payload-max", "big"}).code == 2);
        CHECK(f.run({"class", "set", "7b", "--grace", "36h"}).code == 2);
    }

    TEST_CASE("a token goes to the broker from its file") {
        Fixture f;
        f.api.on("GET /api/v1/status", {200, R"({"version":"0.1.0","ready":true})"});
        const auto file = f.folder.write("token", "iot_secret\n");
        std::filesystem::permissions(file, std::filesystem::perms::owner_read);
        CHECK(f.run({"status", "--token-file", file.string()}).code == 0);
        CHECK(f.api.seen().back().authorization == "Bearer iot_secret");
    }

    TEST_CASE("--data finds the API by endpoints.json") {
        Fixture f;
        f.run.variables.clear();
        f.api.on("GET /api/v1/status", {200, R"({"version":"0.1.0"})"});
        f.folder.write("endpoints.json",
                       R"({"version":1,"pid":1,"listeners":[)"
                       R"({"name":"admin","protocol":"http","host":"127.0.0.1","port":1},)"
                       R"({"name":"s","protocol":"unix","path":")" +
                           (f.folder.path() / "s").string() + R"("}]})");
        CHECK(f.run({"status", "--data", f.folder.path().string()}).code == 0);
    }

    TEST_CASE("events follow goes on behind the last event and ends after --count") {
        Fixture f;
        f.api.on(
            "GET /api/v1/events?after=3&wait=25&limit=1000",
            {200,
             R"({"items":[{"seq":4,"at":"t","kind":"thing.created","body":{"a":1}}],"next_after":4})"});
        f.api.on("GET /api/v1/events?after=4&wait=25&limit=1000",
                 {200, R"({"items":[],"next_after":4})"});
        f.api.on(
            "GET /api/v1/events?after=4&wait=25&limit=1000",
            {200,
             R"({"items":[{"seq":5,"at":"t","kind":"thing.deleted","body":{}}],"next_after":5})"});
        CHECK(f.run({"events", "follow", "--after", "3", "--count", "2"}).out ==
              "t  thing.created  {\"a\":1}\nt  thing.deleted  {}\n");
    }
}
