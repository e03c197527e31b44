#include <doctest/doctest.h>

#include <functional>
#include <thread>

#include "apps/backup/service.hpp"
#include "apps/backup/shelf.hpp"
#include "certs/sealed_file.hpp"
#include "storage/db.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/apps/backup_home.hpp"
#include "tests/unit/apps/failing_steps.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace iotsky::apps::test;
using namespace std::chrono_literals;

namespace {

/// The thread that makes backups tells nobody: whoever waits looks again, as users do.
void until(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!done()) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        std::this_thread::sleep_for(5ms);  // else it would take a core from that thread
    }
}

/// Returns when it is done or failed.
api::BackupInfo wait_for(backup::Service& service, const std::string& name) {
    until([&] { return service.show(name).value().state != "running"; });
    return service.show(name).value();
}

/// Asks for a backup as soon as none is made.
std::string begin_when_idle(backup::Service& service) {
    std::string name;
    until([&] {
        const auto begun = service.begin(SecretString{});
        name = begun ? begun->name : "";
        return begun.has_value();
    });
    return name;
}

/// A messages.db of the first format, as an older program left it.
void make_old_messages(const fs::path& path) {
    for (const char* side : {"", "-wal", "-shm"}) {
        fs::remove(path.string() + side);
    }
    storage::Schema old = storage::messages_schema();
    old.migrations = old.migrations.first(1);
    auto db = storage::Db::open(path, storage::Db::Mode::read_write, storage::kMessagesWords);
    REQUIRE(storage::migrate(**db, path, old).has_value());
}

}  // namespace

TEST_SUITE("apps.backup") {
    TEST_CASE("before a database gets a new format there is a backup of everything, N are kept") {
        Home home;
        home.config.backup.keep = 2;
        const backup::Shelf shelf{home.data()};
        for (int n = 1; n <= 3; ++n) {
            make_old_messages(home.data() / "messages.db");
            REQUIRE(Installation::open(home.config, home.clock, home.random).has_value());
            CHECK(shelf.list().size() == static_cast<std::size_t>(std::min(n, 2)));
        }
        const auto last = shelf.find("before-");
        REQUIRE(last.has_value());
        CHECK(last->description.kind == backup::Kind::before_upgrade);
        CHECK(last->description.messages_format == 1);
        // The program of before could go back to it; so can this one.
        fs::copy_file(last->file, home.file());
        const fs::path other = home.folder.path() / "other";
        REQUIRE(home.restore(other, false, "").has_value());
        CHECK(storage::messages_format_of(other / "messages.db").value() == 1);
        // Nothing to change, nothing made.
        REQUIRE(storage::MessagesDb::open({home.data() / "messages.db", 0}).has_value());
        const std::string newest = shelf.list().front().name;
        REQUIRE(Installation::open(home.config, home.clock, home.random).has_value());
        CHECK(shelf.list().front().name == newest);
    }

    TEST_CASE("without a backup the upgrade is not begun") {
        Home home;
        make_old_messages(home.data() / "messages.db");
        spill(home.data() / "backup", "a file in the way");
        const auto refused = Installation::open(home.config, home.clock, home.random);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E5101");
        CHECK(storage::messages_format_of(home.data() / "messages.db").value() == 1);
    }

    TEST_CASE("a database of a newer version is refused with the backup to go back to") {
        Home home;
        const backup::Shelf shelf{home.data()};
        REQUIRE(shelf.prepare().has_value());
        REQUIRE(home.back_up().has_value());
        fs::rename(home.file(), shelf.file_of("before-0.1.0-20260101T000000Z"));
        {
            auto db = storage::Db::open(home.data() / "registry.db", storage::Db::Mode::read_write,
                                        storage::kRegistryWords);
            (*db)->script("PRAGMA user_version = 99");
        }
        const auto refused = Installation::open(home.config, home.clock, home.random);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E5312");
        CHECK(refused.error().how.find("backup restore before-0.1.0-20260101T000000Z") !=
              std::string::npos);
    }

    TEST_CASE("one backup is made at a time, encrypted when there is a passphrase") {
        Home home;
        const ManualClock clock;
        const auto open = [&] { return backup::sources_at_rest(home.data(), {}); };
        backup::Service service{home.data(), {}, open, clock, home.random};
        CHECK(service.begin(SecretString{"short"}).error().number == "E5108");
        const auto begun = service.begin(SecretString{kSecret});
        REQUIRE(begun.has_value());
        CHECK(service.begin(SecretString{}).error().number == "E5106");
        CHECK(service.remove(begun->name).error().number == "E5106");
        service.start();
        const api::BackupInfo done = wait_for(service, begun->name);
        CHECK(done.state == "done");
        CHECK(done.encrypted);
        CHECK(done.bytes == fs::file_size(done.file));
        CHECK(service.list().size() == 1);
        CHECK(service.remove(begun->name).has_value());
        CHECK_FALSE(fs::exists(done.file));
        CHECK(service.remove(begun->name).error().number == "E5111");
        CHECK(service.show(begun->name).error().number == "E5111");
    }

    TEST_CASE("automatic backups are made when they are due, and the newest N are kept") {
        Home home;
        ManualClock clock;
        const auto open = [&] { return backup::sources_at_rest(home.data(), {}); };
        const fs::path secret = home.folder.path() / "secret";
        spill(secret, "correct horse\n");
        fs::permissions(secret, fs::perms::owner_read);
        const backup::Shelf shelf{home.data()};
        std::string newest;
        for (int day = 0; day < 4; ++day) {
            backup::Service service{home.data(), {24h, 2, secret}, open, clock, home.random};
            service.start();
            until([&] { return !shelf.list().empty() && shelf.list().front().name != newest; });
            service.stop();
            newest = shelf.list().front().name;
            CHECK(newest.starts_with("auto-"));
            CHECK(shelf.list().front().description.encrypted);
            CHECK(shelf.list().size() == static_cast<std::size_t>(std::min(day + 1, 2)));
            clock.advance(25h);
        }
    }

    TEST_CASE(
        "backups of a clock that was ahead neither make it endless nor outlive genuine ones") {
        Home home;
        ManualClock clock;
        const auto open = [&] { return backup::sources_at_rest(home.data(), {}); };
        const backup::Shelf shelf{home.data()};
        const auto names = [&] {
            std::vector<std::string> all;
            for (const auto& each : shelf.list()) {
                all.push_back(each.name);
            }
            return all;
        };
        const auto is_made = [&] {
            return shelf.newest(backup::Kind::automatic, clock.wall_now()) == clock.wall_now();
        };
        // Runs until `done`, and then as long as it takes to make what is asked for: what is due is
        // made between the two.
        const auto run_until = [&](const std::function<bool()>& done) {
            backup::Service service{home.data(), {24h, 2, {}}, open, clock, home.random};
            service.start();
            until(done);
            for (int n = 0; n < 2; ++n) {
                const std::string asked = begin_when_idle(service);
                CHECK(wait_for(service, asked).state == "done");
                REQUIRE(service.remove(asked).has_value());
            }
        };
        clock.advance(10'000h);
        run_until(is_made);
        REQUIRE(names().size() == 1);
        const std::string future = names()[0];
        clock.advance(-10'000h);
        run_until(is_made);
        REQUIRE(names().size() == 2);
        const std::string first = names()[1];
        run_until([] { return true; });
        CHECK(names() == std::vector{future, first});
        clock.advance(25h);
        run_until(is_made);
        const auto both = names();
        REQUIRE(both.size() == 2);
        CHECK(both[0] != future);
        CHECK(both[1] == first);
        clock.advance(-30min);  // set back as on any day
        run_until([] { return true; });
        CHECK(names() == both);
    }

    TEST_CASE("what a killed backup left is deleted at the start, and nothing else is") {
        Home home;
        const ManualClock clock;
        const backup::Shelf shelf{home.data()};
        REQUIRE(shelf.prepare().has_value());
        for (const char* name : {"made-x.backup.partial", "auto-y.backup.partial.db",
                                 "notes.partial", "made-z.backup"}) {
            spill(shelf.folder() / name, "x");
        }
        const auto open = [&] { return backup::sources_at_rest(home.data(), {}); };
        backup::Service service{home.data(), {}, open, clock, home.random};
        service.start();
        CHECK(entries(shelf.folder()) ==
              std::vector<std::string>{"made-z.backup", "notes.partial"});
    }

    TEST_CASE("a backup that is told to end leaves nothing, wherever it is") {
        Home home;
        const auto sources = [&] { return backup::sources_at_rest(home.data(), {}).value(); };
        for (int n = 0;; ++n) {
            CAPTURE(n);
            REQUIRE(n < 1'000);
            int left = n;
            const auto made = backup::create_backup(
                sources(), {home.file(), backup::Kind::made, {}, "0.1.0", home.clock.wall_now()},
                home.random, [&] { return left-- > 0; });
            if (made) {
                CHECK(n > 10);
                break;
            }
            CHECK(made.error().number == "E5110");
            CHECK(entries(home.folder.path()) == std::vector<std::string>{"data"});
        }
    }

    TEST_CASE("a long backup goes to the disk in small parts: nobody's sync has to write it all") {
        const TemporaryFolder folder;
        SystemRandom random;
        auto sealed = certs::SealedWriter::create(folder.path() / "long", "{}", {}, random).value();
        const std::vector<std::byte> part(std::size_t{1} << 20U);
        const int before = data_syncs();
        for (int mib = 0; mib < 21; ++mib) {
            REQUIRE(sealed->write(part).has_value());
        }
        CHECK(data_syncs() - before == 5);  // one for 4 MiB
    }

    TEST_CASE("in memory mode the old messages.db stays, and no start makes a backup for it") {
        Home home;
        home.config.durability.mode = DurabilityMode::memory;
        make_old_messages(home.data() / "messages.db");
        for (int n = 0; n < 2; ++n) {
            REQUIRE(Installation::open(home.config, home.clock, home.random).has_value());
            CHECK(backup::Shelf{home.data()}.list().empty());
        }
        CHECK(storage::messages_format_of(home.data() / "messages.db").value() == 1);
    }

    TEST_CASE("a stop cuts the backup before an upgrade short, and nothing was changed") {
        Home home;
        make_old_messages(home.data() / "messages.db");
        const auto ended =
            Installation::open(home.config, home.clock, home.random, {}, [] { return false; });
        REQUIRE_FALSE(ended.has_value());
        CHECK(ended.error().number == "E5110");
        CHECK(entries(home.data() / "backup").empty());
        CHECK(storage::messages_format_of(home.data() / "messages.db").value() == 1);
    }

    TEST_CASE("a backup that fails leaves nothing and says why") {
        Home home;
        ManualClock clock;
        const auto open = [&]() -> Result<backup::Sources> {
            return backup::sources_at_rest(home.folder.path() / "nothing", {});
        };
        backup::Service service{home.data(), {}, open, clock, home.random};
        service.start();
        const auto begun = service.begin(SecretString{});
        REQUIRE(begun.has_value());
        const api::BackupInfo failed = wait_for(service, begun->name);
        CHECK(failed.state == "failed");
        CHECK(failed.problem.starts_with("E53"));
        CHECK(entries(home.data() / "backup").empty());
    }

    TEST_CASE("a CA that cannot be listed fails the backup: it is not one without keys") {
        Home home;
        std::filesystem::rename(home.data() / "ca", home.data() / "away");
        const auto made = backup::create_backup(
            backup::sources_at_rest(home.data(), {}).value(),
            {home.file(), backup::Kind::made, {}, "0.1.0", home.clock.wall_now()}, home.random,
            [] { return true; });
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error().number == "E5109");
        CHECK(made.error().message.find("ca") != std::string::npos);
        CHECK(entries(home.folder.path()) == std::vector<std::string>{"data"});
    }
}
