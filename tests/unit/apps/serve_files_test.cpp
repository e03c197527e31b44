// What a configuration names is opened by the check, as a start would.
#include <algorithm>

#include "apps/config/rules.hpp"
#include "apps/serve/check_files.hpp"
#include "tests/unit/apps/cli_run.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace iotsky::apps::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kPolicy =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})";

/// A configuration of which everything is there.
struct Fixture {
    TemporaryFolder folder;
    std::string listener = "[listener.plain]\nprotocol = \"mqtt\"\nbind = \"127.0.0.1:1883\"\n";
    std::string rest = "[listener.admin]\nprotocol = \"unix\"\npath = \"data/admin.sock\"\n";

    Fixture() {
        folder.write("allow.json", kPolicy);
        folder.write("pass", "open sesame\n");
        fs::permissions(folder.path() / "pass", fs::perms::owner_read | fs::perms::owner_write);
    }
    [[nodiscard]] Result<void> check() const {
        const std::string text = listener + "anonymous_policy_file = \"allow.json\"\n" + rest +
                                 "[ca]\npassphrase_file = \"pass\"\n" +
                                 "[server]\ndata_dir = \"data\"\n";
        const std::vector<Source> sources{{"c.toml", folder.path(), text}};
        const Loaded loaded = load_config(sources, {}).value();
        REQUIRE(check_rules(loaded).has_value());
        return check_files(loaded);
    }
    /// Refused with this number at the line of c.toml, and saying this.
    void refused(std::string_view number, int line, const std::string& word) const {
        const auto verdict = check();
        CAPTURE(number);
        REQUIRE_FALSE(verdict.has_value());
        const Error& error = verdict.error();
        CHECK(error.number == number);
        CHECK(error.message.starts_with("c.toml:" + std::to_string(line) + ":"));
        CHECK((error.message + error.why).find(word) != std::string::npos);
        CHECK_FALSE(error.how.empty());
        CHECK(error.fields.size() == 1);
    }
};

}  // namespace

TEST_SUITE("apps.check_files") {
    TEST_CASE_FIXTURE(Fixture, "a configuration whose files are in order passes, and stays as is") {
        CHECK(check().has_value());
        CHECK_FALSE(fs::exists(folder.path() / "data"));
    }

    TEST_CASE_FIXTURE(Fixture, "a policy that is missing, none, empty or open to all is told") {
        folder.write("allow.json", "{\"Version\": 1}");
        refused("E1158", 4, "allow.json");
        folder.write("allow.json", "");
        refused("E1158", 4, "is empty");
        folder.write("allow.json", kPolicy);
        fs::permissions(folder.path() / "allow.json", fs::perms::others_write,
                        fs::perm_options::add);
        refused("E1158", 4, "can be written by everybody");
        fs::remove(folder.path() / "allow.json");
        refused("E1158", 4, "cannot be read");
    }

    TEST_CASE_FIXTURE(Fixture, "a passphrase that is missing or that others can read is told") {
        fs::permissions(folder.path() / "pass", fs::perms::others_read, fs::perm_options::add);
        refused("E5203", 9, "mode 0604");
        fs::remove(folder.path() / "pass");
        refused("E5208", 9, "pass");
    }

    TEST_CASE_FIXTURE(Fixture, "a data folder that is a file, or open to others, is told") {
        folder.write("data", "x");
        refused("E1156", 11, "is a file");
        fs::remove(folder.path() / "data");
        fs::create_directory(folder.path() / "data");
        fs::permissions(folder.path() / "data", fs::perms::others_write, fs::perm_options::add);
        refused("E1156", 11, "can be written by others");
    }

    TEST_CASE_FIXTURE(Fixture, "a socket without a folder, a foreign address: told") {
        rest = "[listener.admin]\nprotocol = \"unix\"\npath = \"nowhere/admin.sock\"\n";
        refused("E1107", 7, "nowhere");
        rest = "[listener.admin]\nprotocol = \"unix\"\npath = \"data/admin.sock\"\n";
        listener =
            "[listener.plain]\nprotocol = \"mqtt\"\ninsecure = true\n"
            "bind = \"192.0.2.1:1883\"\n";
        refused("E1122", 4, "192.0.2.1");
    }

    TEST_CASE_FIXTURE(Fixture, "all problems are told at once") {
        fs::remove(folder.path() / "pass");
        fs::remove(folder.path() / "allow.json");
        folder.write("data", "x");
        const auto verdict = check();
        REQUIRE_FALSE(verdict.has_value());
        CHECK(verdict.error().fields.size() == 3);
    }
}
