#include "tests/unit/apps/cli_run.hpp"
#include "tests/unit/apps/fake_api.hpp"

using namespace iotsky::apps::test;

namespace {

struct Fixture {
    TemporaryFolder folder;
    FakeApi api{folder.path() / "s"};
    Runner run;
    std::string csv = folder.write("7b.csv", "name\nA\nB\n").string();
    std::string bundles = (folder.path() / "bundles").string();

    Fixture() { run.variables["IOTSKY_SERVER"] = "unix:" + (folder.path() / "s").string(); }

    [[nodiscard]] Ran import(std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments{"roster", "import", "7b", csv};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run(arguments);
    }
};

std::string chunk(const char* next, const char* student, const char* line) {
    return std::string{R"({"rows_total":2,"first":1,)"} + next + R"("rows":[{"line":)" + line +
           R"(,"result":"created","student":")" + student + R"(","thing":"7b/)" + student +
           R"(/lamp","bundle_url":"/z/)" + student +
           R"("}],"summary":{"created":1,"existing":0,"problems":0}})";
}

constexpr const char* kFirst = "POST /api/v1/classes/7b/roster?thing=lamp&first=1&count=100";
constexpr const char* kSecond = "POST /api/v1/classes/7b/roster?thing=lamp&first=2&count=100";

}  // namespace

TEST_SUITE("apps.cli.roster") {
    TEST_CASE("an import goes through its chunks and leaves one zip per student") {
        Fixture f;
        f.api.on(kFirst, {200, chunk(R"("next":2,)", "otter", "2")});
        f.api.on(kSecond, {200, chunk("", "heron", "3")});
        f.api.on("GET /z/otter", {200, "ZIP1", "application/zip"});
        f.api.on("GET /z/heron", {200, "ZIP2", "application/zip"});
        const Ran ran = f.import({"--thing", "lamp", "--bundles", f.bundles});
        CAPTURE(ran.err);
        CHECK(ran.code == 0);
        CHECK(ran.out.find("2 rows: 2 new, 0 already there, 0 problems") != std::string::npos);
        CHECK(ran.err.find("2/2") != std::string::npos);
        CHECK(f.folder.read("bundles/otter-lamp.zip") == "ZIP1");
        CHECK(f.folder.read("bundles/heron-lamp.zip") == "ZIP2");
        CHECK(f.api.seen()[0].content_type == "text/csv");
        const std::string result = f.folder.read("7b.csv.result.json");
        CHECK(result.find("\"complete\":true") != std::string::npos);
        CHECK(result.find("bundle_url") == std::string::npos);
    }

    TEST_CASE(
        "an interrupted import goes on where it stopped, and bundles that were lost are made "
        "anew") {
        Fixture f;
        f.api.on(kFirst, {200, chunk(R"("next":2,)", "otter", "2")});
        f.api.on("GET /z/otter", {500, "{}", "application/problem+json"});
        f.api.on(kSecond, {503, R"({"title":"t","status":503,"detail":"Busy."})",
                           "application/problem+json"});
        f.api.on(kSecond, {200, chunk("", "heron", "3")});
        const Ran broken = f.import({"--thing", "lamp", "--bundles", f.bundles});
        CHECK(broken.code == 1);

        f.api.on("GET /z/heron", {200, "ZIP2", "application/zip"});
        f.api.on("POST /api/v1/things/7b%2Fotter%2Flamp/bundle", {200, "FRESH", "application/zip"});
        const Ran ran = f.import({"--thing", "lamp", "--bundles", f.bundles});
        CAPTURE(ran.err);
        CHECK(ran.code == 0);
        CHECK(ran.err.find("going on at row 2") != std::string::npos);
        CHECK(f.folder.read("bundles/otter-lamp.zip") == "FRESH");
        CHECK(f.folder.read("bundles/heron-lamp.zip") == "ZIP2");
        std::size_t first_chunks = 0;
        for (const FakeApi::Seen& seen : f.api.seen()) {
            first_chunks += "POST " + seen.target == kFirst ? 1U : 0U;
            if (seen.target.ends_with("/bundle")) {
                CHECK(seen.body == R"({"revoke_old":true})");
            }
        }
        CHECK(first_chunks == 1);
    }

    TEST_CASE("another file is another import") {
        Fixture f;
        f.folder.write("7b.csv.result.json", R"({"digest":"other","next":2,"total":2})");
        f.api.on(
            "POST /api/v1/classes/7b/roster?first=1&count=100",
            {200,
             R"({"rows_total":1,"rows":[],"summary":{"created":1,"existing":0,"problems":0}})"});
        CHECK(f.import().code == 0);
    }

    TEST_CASE("rows with problems end with code 7 and are shown") {
        Fixture f;
        f.api.on(
            "POST /api/v1/classes/7b/roster?first=1&count=100",
            {200,
             R"({"rows_total":2,"rows":[{"line":17,"result":"problem","code":"E2110","message":"name empty"}],)"
             R"("summary":{"created":1,"existing":0,"problems":1}})"});
        const Ran ran = f.import();
        CHECK(ran.code == 7);
        CHECK(ran.out.find("17    problem  E2110  name empty") != std::string::npos);
    }

    TEST_CASE("a dry run leaves nothing behind") {
        Fixture f;
        f.api.on(
            "POST /api/v1/classes/7b/roster?dry_run=true&thing=lamp&first=1&count=100",
            {200,
             R"({"rows_total":2,"rows":[],"summary":{"created":2,"existing":0,"problems":0}})"});
        const Ran ran = f.import({"--thing", "lamp", "--bundles", f.bundles, "--dry-run"});
        CHECK(ran.code == 0);
        CHECK(ran.out.find("2 would be new") != std::string::npos);
        CHECK_FALSE(std::filesystem::exists(f.bundles));
        CHECK_FALSE(std::filesystem::exists(f.csv + ".result.json"));
    }

    TEST_CASE("bundles without things, and a roster that is not there, are refused") {
        const Fixture f;
        CHECK(f.import({"--bundles", f.bundles}).code == 2);
        CHECK(f.run({"roster", "import", "7b", "/nonexistent.csv"}).code == 2);
        CHECK(f.run({"roster", "import", "7b", "-"}).code == 2);
    }

    TEST_CASE("bundle make of a class makes one zip a thing, and code 7 tells that some failed") {
        Fixture f;
        f.api.on("GET /api/v1/classes/7b", {200, R"({"name":"7b"})"});
        f.api.on("GET /api/v1/things?class=7b&limit=1000",
                 {200, R"({"items":[{"path":"7b/otter/lamp"},{"path":"7b/heron/lamp"}]})"});
        f.api.on("POST /api/v1/things/7b%2Fotter%2Flamp/bundle", {200, "ZIP", "application/zip"});
        const Ran ran = f.run({"bundle", "make", "7b", "--out", f.bundles, "--revoke-old"});
        CHECK(ran.code == 7);
        CHECK(f.folder.read("bundles/otter-lamp.zip") == "ZIP");
        CHECK(ran.err.find("7b/heron/lamp") != std::string::npos);
    }
}
