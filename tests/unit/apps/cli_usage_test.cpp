#include <fstream>

#include "apps/cli/session.hpp"
#include "apps/help/pages.hpp"
#include "tests/unit/apps/cli_run.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace iotsky::apps::test;

namespace {

struct UsageRow {
    std::vector<std::string> arguments;
    const char* hint;
};

}  // namespace

TEST_SUITE("apps.cli") {
    TEST_CASE("a wrong command line ends with code 2 and names what may have been meant") {
        const UsageRow rows[] = {
            {{}, "iotsky --help"},
            {{"tihng", "list"}, "\"thing\""},
            {{"thing", "creat", "7b/otter/weather"}, "\"create\""},
            {{"thing"}, "iotsky thing --help"},
            {{"thing", "create"}, "iotsky thing create --help"},
            {{"class", "list", "--jsn"}, "\"--json\""},
            {{"class", "list", "extra"}, "iotsky class list --help"},
            {{"thing", "create", "a/b/c", "--key-type", "rsa1024"}, "iotsky thing create --help"},
            {{"thing", "create", "a/b"}, "7b/otter/weather"},
            {{"student", "add", "7b"}, "7b/otter"},
            {{"cert", "issue"}, "--service NAME"},
            {{"cert", "issue", "a/b/c", "--service", "x"}, "--service NAME"},
            {{"session", "kick"}, "--thing"},
            {{"explain", "a/b/c", "publish"}, "TOPIC"},
            {{"explain", "a/b/c", "destroy", "t"}, "iotsky explain --help"},
        };
        for (const UsageRow& row : rows) {
            CAPTURE(row.hint);
            Runner run;
            run.variables["IOTSKY_SERVER"] = "unix:/nonexistent/admin.sock";
            const Ran ran = run(row.arguments);
            CAPTURE(ran.err);
            CHECK(ran.code == 2);
            CHECK(ran.out.empty());
            CHECK(ran.err.starts_with("E1170"));
            CHECK(ran.err.find(row.hint) != std::string::npos);
        }
    }

    TEST_CASE("--help of every command ends with code 0") {
        for (const std::vector<std::string>& arguments :
             std::vector<std::vector<std::string>>{{"--help"},
                                                   {"thing", "--help"},
                                                   {"thing", "create", "--help"},
                                                   {"pub", "--help"}}) {
            const Ran ran = Runner{}(arguments);
            CHECK(ran.code == 0);
            CHECK(ran.out.find("Usage:") != std::string::npos);
            CHECK(ran.err.empty());
        }
    }

    TEST_CASE("without a broker a command ends with code 6 and says how to start one") {
        Runner run;
        run.variables["IOTSKY_SERVER"] = "unix:/nonexistent/admin.sock";
        const Ran ran = run({"class", "list"});
        CHECK(ran.code == 6);
        CHECK(ran.err.starts_with("E1162"));
        CHECK(ran.err.find("iotsky serve") != std::string::npos);
    }

    TEST_CASE("a server's address that is none ends with code 2") {
        for (const char* server :
             {"localhost:9880", "ftp://x", "http://", "http://h:0", "http://h:x", "http://h/a"}) {
            CAPTURE(server);
            const Ran ran = Runner{}({"--server", server, "status"});
            CHECK(ran.code == 2);
            CHECK(ran.err.starts_with("E1168"));
        }
    }

    TEST_CASE("a token file that others may read is refused") {
        const TemporaryFolder folder;
        const auto file = folder.write("token", "iot_x\n");
        std::filesystem::permissions(
            file, std::filesystem::perms::owner_read | std::filesystem::perms::others_read);
        const Ran ran =
            Runner{}({"--server", "http://127.0.0.1:1", "--token-file", file.string(), "status"});
        CHECK(ran.code == 2);
        CHECK(ran.err.starts_with("E1165"));
    }

    TEST_CASE("docs/cli.md is what `iotsky help --reference` prints") {
        std::ifstream in{IOTSKY_SOURCE_DIR "/docs/cli.md", std::ios::binary};
        const std::string page{std::istreambuf_iterator<char>{in}, {}};
        CHECK_MESSAGE(page == cli::cli_reference(), "run: iotsky help --reference > docs/cli.md");
    }

    TEST_CASE("help shows the page of a number, however it is written") {
        for (const char* number : {"E1150", "e1150", "1150"}) {
            const Ran ran = Runner{}({"help", number});
            CHECK(ran.code == 0);
            CHECK(ran.out.starts_with("E1150  "));
        }
        CHECK(Runner{}({"help", "E9999"}).code == 3);
        CHECK(Runner{}({"help"}).out.find("E1101") != std::string::npos);
    }

    TEST_CASE("config check tells every problem and ends with code 8") {
        const TemporaryFolder folder;
        const auto bad = folder.write("bad.toml", "[log]\nlevle = \"info\"\n[limits]\nslice = 0\n");
        const Ran ran = Runner{}({"config", "check", "--config", bad.string()});
        CHECK(ran.code == 8);
        CHECK(ran.err.find("bad.toml:2:1") != std::string::npos);
        CHECK(ran.err.find("bad.toml:4:9") != std::string::npos);

        const auto good = folder.write("good.toml", "[log]\nlevel = \"warn\"\n");
        const std::string data = (folder.path() / "data").string();
        CHECK(Runner{}({"--data", data, "config", "check", "--config", good.string()}).code == 0);
        folder.write("data", "a file");
        const Ran names = Runner{}({"--data", data, "config", "check", "--config", good.string()});
        CHECK(names.code == 8);
        CHECK(names.err.find("E1156") != std::string::npos);
        CHECK(names.err.find("--data") != std::string::npos);
        const Ran shown = Runner{}({"config", "show", "--config", good.string()});
        CHECK(shown.code == 0);
        CHECK(shown.out.find("level = \"warn\"") != std::string::npos);
    }

    TEST_CASE(
        "a configuration file that is missing, empty, a folder or open to everybody is refused by "
        "its name") {
        const TemporaryFolder folder;
        const auto empty = folder.write("empty.toml", "");
        const auto open = folder.write("open.toml", "schema = 1\n");
        std::filesystem::permissions(open, std::filesystem::perms::others_write,
                                     std::filesystem::perm_options::add);
        for (const std::string& file : {empty.string(), open.string(), folder.path().string(),
                                        (folder.path() / "missing.toml").string()}) {
            CAPTURE(file);
            const Ran ran = Runner{}({"config", "show", "--config", file});
            CHECK(ran.code == 2);
            CHECK(ran.err.starts_with("E1150"));
            CHECK(ran.err.find(file) != std::string::npos);
        }
    }

    TEST_CASE(
        "conf.d beside the file is read in the order of its names, and its errors name their "
        "file") {
        const TemporaryFolder folder;
        const auto file = folder.write("iotsky.toml", "[log]\nlevel = \"warn\"\n");
        std::filesystem::create_directory(folder.path() / "conf.d");
        folder.write("conf.d/20.toml", "[log]\nlevel = \"debug\"\n");
        folder.write("conf.d/10.toml", "[log]\nlevel = \"error\"\n");
        folder.write("conf.d/30.txt", "not read");
        const Ran ran = Runner{}({"config", "origin", "--config", file.string()});
        CHECK(ran.code == 0);
        CHECK(ran.out.find("conf.d/20.toml:2:9") != std::string::npos);
        folder.write("conf.d/40.toml", "[log]\nlevel = 1\n");
        const Ran bad = Runner{}({"config", "origin", "--config", file.string()});
        CHECK(bad.code == 2);
        CHECK(bad.err.find("conf.d/40.toml:2:9") != std::string::npos);
    }

    TEST_CASE("bash completion knows every command") {
        const Ran ran = Runner{}({"completion", "bash"});
        CHECK(ran.code == 0);
        CHECK(ran.out.find("\"thing create\") words=") != std::string::npos);
        CHECK(ran.out.find("complete -F _iotsky iotsky") != std::string::npos);
    }
}
