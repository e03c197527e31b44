#include "apps/backup/restore.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/file_stamp.hpp"
#include "certs/sealed_file.hpp"
#include "storage/migrate.hpp"
#include "tests/unit/apps/backup_home.hpp"
#include "tests/unit/apps/failing_steps.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace iotsky::apps::test;

namespace {

mode_t mode_of(const fs::path& path) {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return info.st_mode & 0777U;
}

}  // namespace

TEST_SUITE("apps.restore") {
    TEST_CASE("a backup restored into an empty folder is a whole installation") {
        Home home;
        const auto made = home.back_up();
        REQUIRE_MESSAGE(made.has_value(), made.error());
        CHECK(made->encrypted);
        const std::string sealed = slurp(home.file());
        CHECK(sealed.find("PRIVATE KEY") == std::string::npos);
        CHECK(sealed.find("SQLite format") == std::string::npos);
        const fs::path other = home.folder.path() / "other";
        const auto restored = home.restore(other);
        REQUIRE_MESSAGE(restored.has_value(), restored.error());
        CHECK(restored->before.empty());
        CHECK(restored->config.empty());
        CHECK(entries(other) == std::vector<std::string>{"admin.token", "ca", "iotsky.toml",
                                                         "messages.db", "registry.db",
                                                         "server-ca-next.crt", "server-ca.crt"});
        CHECK(entries(other / "ca") == entries(home.data() / "ca"));
        CHECK(slurp(other / "ca" / "device-ca.key") == slurp(home.data() / "ca" / "device-ca.key"));
        CHECK(slurp(other / "admin.token") == slurp(home.data() / "admin.token"));
        CHECK(home.classes_in(other) == std::vector<std::string>{"7b"});
        // Nothing of the work is left beside the backup.
        CHECK(entries(home.folder.path()) ==
              std::vector<std::string>{"data", "iotsky.backup", "other"});
    }

    TEST_CASE("a restore keeps what was there, and replaces all of it") {
        Home home;
        REQUIRE(home.back_up().has_value());
        Home other{"8a"};
        spill(other.data() / "notes.txt", "mine");
        const auto restored = home.restore(other.data());
        REQUIRE_MESSAGE(restored.has_value(), restored.error());
        CHECK(home.classes_in(other.data()) == std::vector<std::string>{"7b"});
        CHECK(home.classes_in(restored->before) == std::vector<std::string>{"8a"});
        CHECK(slurp(other.data() / "notes.txt") == "mine");
    }

    TEST_CASE("a wrong passphrase, damage and a missing passphrase change nothing") {
        Home home;
        REQUIRE(home.back_up().has_value());
        Home other{"8a"};
        const auto before = entries(other.data());
        const auto stage = [&](std::string_view passphrase) {
            return backup::stage(other.data(), {home.file(), passphrase, {}, false},
                                 home.clock.wall_now(), home.random);
        };
        CHECK(stage("incorrect horse").error().number == "E5104");
        CHECK(stage("").error().number == "E5108");
        const auto unsealed = home.file().parent_path() / "plain.backup";
        fs::rename(home.file(), unsealed);
        REQUIRE(home.back_up("").has_value());
        CHECK(stage(kSecret).error().number == "E5108");  // somebody may have swapped the file
        fs::rename(unsealed, home.file());
        std::string text = slurp(home.file());
        text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
        spill(home.file(), text);
        CHECK(stage(kSecret).error().number == "E5104");
        spill(home.file(), "something else");
        CHECK(stage(kSecret).error().number == "E5105");
        CHECK(entries(other.data()) == before);
    }

    TEST_CASE("a backup from a newer version is refused by its number") {
        Home home;
        backup::Description newer;
        newer.program = "9.9.9";
        newer.registry_format = storage::registry_schema().migrations.size() + 1;
        auto sealed =
            certs::SealedWriter::create(home.file(), backup::format(newer), {}, home.random)
                .value();
        REQUIRE(sealed->finish().has_value());
        const auto refused = home.restore(home.data(), false, "");
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E5102");
        CHECK(refused.error().why.find("9.9.9") != std::string::npos);
    }

    TEST_CASE("a key that is not that of its certificate is found before anything is replaced") {
        Home home;
        const fs::path ca = home.data() / "ca";
        fs::copy_file(ca / "server-ca.key", ca / "device-ca.key",
                      fs::copy_options::overwrite_existing);
        REQUIRE(home.back_up().has_value());
        const auto refused = home.restore(home.folder.path() / "other");
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E5210");
    }

    TEST_CASE("as a new host it gets server certificates for this machine under the same CA") {
        Home home;
        REQUIRE(home.back_up().has_value());
        const fs::path other = home.folder.path() / "other";
        const auto restored = home.restore(other, true);
        REQUIRE_MESSAGE(restored.has_value(), restored.error());
        CHECK(slurp(other / "ca" / "server-ca.crt") == slurp(home.data() / "ca" / "server-ca.crt"));
        CHECK(slurp(other / "ca" / "server.crt") != slurp(home.data() / "ca" / "server.crt"));
    }

    TEST_CASE("a configuration from elsewhere is put aside for people to compare") {
        Home home;
        const fs::path etc = home.folder.path() / "etc";
        fs::create_directories(etc / "conf.d");
        spill(etc / "iotsky.toml", "[server]\nsite = \"x\"\n");
        spill(etc / "conf.d" / "a.toml", "[log]\nlevel = \"warn\"\n");
        spill(etc / "allow.json", "{}");
        Listener listener;
        listener.anonymous_policy_file = etc / "allow.json";
        Listener outside;
        outside.anonymous_policy_file = "/nowhere/allow.json";
        const auto config = backup::config_files(etc / "iotsky.toml", {listener, outside});
        CHECK(config.left_out == std::vector<fs::path>{"/nowhere/allow.json"});
        REQUIRE(backup::create_backup(
                    backup::sources_at_rest(home.data(), config).value(),
                    {home.file(), backup::Kind::made, kSecret, "0.1.0", home.clock.wall_now()},
                    home.random, [] { return true; })
                    .has_value());
        const fs::path other = home.folder.path() / "other";
        const auto restored = home.restore(other);
        REQUIRE_MESSAGE(restored.has_value(), restored.error());
        CHECK(restored->config_was_in == etc.string());
        CHECK(slurp(restored->config) == slurp(etc / "iotsky.toml"));
        CHECK(slurp(restored->config.parent_path() / "conf.d" / "a.toml") ==
              slurp(etc / "conf.d" / "a.toml"));
        CHECK(fs::exists(restored->config.parent_path() / "allow.json"));
        CHECK_FALSE(fs::exists(other / "iotsky.toml"));
    }

    TEST_CASE("a configuration stays where it is unless the backup's lay in the data folder, too") {
        Home home;
        const fs::path etc = home.folder.path() / "etc";
        fs::create_directories(etc);
        spill(etc / "iotsky.toml", "[server]\nsite = \"x\"\n");
        Home other{"8a"};
        fs::create_directory(other.data() / "conf.d");
        spill(other.data() / "conf.d" / "local.toml", "[log]\nlevel = \"warn\"\n");
        const std::string mine = slurp(other.data() / "iotsky.toml");

        REQUIRE(home.back_up(kSecret, etc / "iotsky.toml").has_value());
        REQUIRE(home.restore(other.data()).has_value());
        CHECK(slurp(other.data() / "iotsky.toml") == mine);
        CHECK(fs::exists(other.data() / "conf.d" / "local.toml"));

        spill(home.data() / "iotsky.toml", "[server]\nsite = \"here\"\n");
        REQUIRE(home.back_up().has_value());
        const auto restored = home.restore(other.data());
        REQUIRE(restored.has_value());
        CHECK(slurp(other.data() / "iotsky.toml") == slurp(home.data() / "iotsky.toml"));
        CHECK_FALSE(fs::exists(other.data() / "conf.d"));  // not mixed with another's main file
        CHECK(slurp(restored->before / "iotsky.toml") == mine);
        CHECK(fs::exists(restored->before / "conf.d" / "local.toml"));
    }

    TEST_CASE("names of the configuration may have any letters") {
        Home home;
        fs::create_directory(home.data() / "conf.d");
        spill(home.data() / "conf.d" / "prüfung-教室.toml", "[log]\nlevel = \"warn\"\n");
        spill(home.data() / "conf.d" / "\xff.toml", "[log]\n");  // the list of files is UTF-8
        const auto config = backup::config_files(home.data() / "iotsky.toml", {});
        CHECK(config.left_out == std::vector<fs::path>{home.data() / "conf.d" / "\xff.toml"});
        REQUIRE_MESSAGE(home.back_up().has_value(), home.back_up().error());
        const fs::path other = home.folder.path() / "other";
        const auto restored = home.restore(other);
        REQUIRE_MESSAGE(restored.has_value(), restored.error());
        CHECK(slurp(other / "conf.d" / "prüfung-教室.toml") == "[log]\nlevel = \"warn\"\n");
    }

    TEST_CASE("every file and folder that comes is on the disk before anything moves") {
        Home home;
        fs::create_directory(home.data() / "conf.d");
        spill(home.data() / "conf.d" / "a.toml", "[log]\nlevel = \"warn\"\n");
        REQUIRE(home.back_up().has_value());
        const fs::path other = home.folder.path() / "other";
        fs::create_directories(other);
        static_cast<void>(take_synced());
        auto staged = backup::stage(other, {home.file(), kSecret, {}, false}, home.clock.wall_now(),
                                    home.random);
        REQUIRE(staged.has_value());
        const fs::path fresh = staged->folder.path();
        std::vector<std::string> wanted{fresh.string()};
        for (const auto& entry : fs::recursive_directory_iterator{fresh}) {
            if (entry.path().filename().string().find(".db-") == std::string::npos) {
                wanted.push_back(entry.path().string());
            }
        }
        REQUIRE(backup::put_in_place(other, std::move(*staged), home.clock.wall_now()).has_value());
        const std::vector<std::string> synced = take_synced();
        const auto plan = std::find_if(synced.begin(), synced.end(), [](const std::string& each) {
            return each.find("restore.json") != std::string::npos;
        });
        REQUIRE(plan != synced.end());
        for (const std::string& each : wanted) {
            CAPTURE(each);
            CHECK(std::find(synced.begin(), plan, each) != plan);
        }
    }

    TEST_CASE("two restores within a second keep what was there apart") {
        Home home;
        REQUIRE(home.back_up().has_value());
        Home other{"8a"};
        const WallTime now = home.clock.wall_now();
        std::vector<fs::path> before;
        for (int n = 0; n < 2; ++n) {
            auto staged =
                backup::stage(other.data(), {home.file(), kSecret, {}, false}, now, home.random);
            REQUIRE(staged.has_value());
            const auto restored = backup::put_in_place(other.data(), std::move(*staged), now);
            REQUIRE_MESSAGE(restored.has_value(), restored.error());
            before.push_back(restored->before);
        }
        CHECK(before[1] == before[0].string() + "-2");
        CHECK(home.classes_in(before[0]) == std::vector<std::string>{"8a"});
        CHECK(home.classes_in(before[1]) == std::vector<std::string>{"7b"});
    }

    TEST_CASE("certificates can be read by clients whatever the umask, keys cannot") {
        Home home;
        REQUIRE(home.back_up().has_value());
        const fs::path other = home.folder.path() / "other";
        const mode_t before = ::umask(S_IRWXG | S_IRWXO);
        const auto restored = home.restore(other);
        ::umask(before);
        REQUIRE(restored.has_value());
        CHECK(mode_of(other / "server-ca.crt") == 0644);
        CHECK(mode_of(other / "ca" / "device-ca.key") == 0600);
        CHECK(mode_of(other / "admin.token") == 0600);
    }
}
