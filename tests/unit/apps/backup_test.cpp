#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <thread>

#include "apps/backup/restore.hpp"
#include "apps/backup/service.hpp"
#include "apps/backup/shelf.hpp"
#include "apps/serve/installation.hpp"
#include "base/bytes.hpp"
#include "certs/sealed_file.hpp"
#include "storage/db.hpp"
#include "storage/messages_db.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSecret = "correct horse";

std::string slurp(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

void spill(const fs::path& path, std::string_view text) {
    std::ofstream{path, std::ios::binary} << text;
}

/// A data folder with CA, registry, one class, messages and a configuration, at rest.
struct Home {
    TemporaryFolder folder;
    SystemClock clock;
    SystemRandom random;
    Config config;

    explicit Home(const std::string& class_name = "7b") {
        config.server.data_dir = data();
        config.server.addresses = {"10.0.0.5"};
        auto opened = Installation::open(config, clock, random);
        REQUIRE_MESSAGE(opened.has_value(), opened.error());
        REQUIRE((*opened)->registry->start().has_value());
        provisioning::ClassRequest request;
        request.name = class_name;
        REQUIRE((*opened)
                    ->registry->classes.create(provisioning::Caller::system(), request)
                    .has_value());
        REQUIRE((*opened)->make_first_token().has_value());
        REQUIRE(storage::MessagesDb::open({data() / "messages.db", 0}).has_value());
        spill(data() / "iotsky.toml", "[server]\naddresses = [\"10.0.0.5\"]\n");
    }
    [[nodiscard]] fs::path data() const { return folder.path() / "data"; }
    [[nodiscard]] fs::path file() const { return folder.path() / "iotsky.backup"; }

    Result<backup::Description> back_up(std::string_view passphrase = kSecret) {
        auto sources = backup::sources_at_rest(
            data(), backup::config_files(data() / "iotsky.toml", config.listeners));
        REQUIRE_MESSAGE(sources.has_value(), sources.error());
        return backup::create_backup(
            std::move(*sources),
            {file(), backup::Kind::made, passphrase, "0.1.0", clock.wall_now()}, random,
            [] { return true; });
    }
    Result<backup::Restored> restore(const fs::path& into, bool as_new_host = false) {
        fs::create_directories(into);
        auto staged =
            backup::stage(into, {file(), kSecret, {}, as_new_host}, clock.wall_now(), random);
        if (!staged) {
            return std::move(staged).error();
        }
        return backup::put_in_place(into, std::move(*staged), clock.wall_now());
    }
    /// Names of the classes in a data folder.
    std::vector<std::string> classes_in(const fs::path& into) {
        Config there = config;
        there.server.data_dir = into;
        auto opened = Installation::open(there, clock, random);
        REQUIRE_MESSAGE(opened.has_value(), opened.error());
        REQUIRE((*opened)->registry->start().has_value());
        const auto all =
            (*opened)->registry->classes.list(provisioning::Caller::system(), {"", 10}).value();
        std::vector<std::string> names;
        for (const auto& row : all.items) {
            names.push_back(row.name);
        }
        return names;
    }
};

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

std::vector<std::string> entries(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{folder}) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// A sealed tar with one entry, as no program of ours makes it.
void forge(const fs::path& file, const char* path, int type, Random& random) {
    backup::Description description;
    description.registry_format = 1;
    auto sealed =
        certs::SealedWriter::create(file, backup::format(description), {}, random).value();
    std::string tar;
    archive* out = archive_write_new();
    archive_write_set_format_pax_restricted(out);
    archive_write_open(
        out, &tar, nullptr,
        [](archive*, void* to, const void* bytes, std::size_t size) {
            static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
            return static_cast<la_ssize_t>(size);
        },
        nullptr);
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, path);
    archive_entry_set_filetype(entry, static_cast<unsigned>(type));
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(entry, type == AE_IFREG ? 1 : 0);
    if (type == AE_IFLNK) {
        archive_entry_set_symlink(entry, "/etc/passwd");
    }
    archive_write_header(out, entry);
    if (type == AE_IFREG) {
        archive_write_data(out, "x", 1);
    }
    archive_entry_free(entry);
    archive_write_close(out);
    archive_write_free(out);
    REQUIRE(sealed->write(as_bytes(tar)).has_value());
    REQUIRE(sealed->finish().has_value());
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

    TEST_CASE("a restore that was cut short is finished at the next start, wherever it was") {
        Home home;
        REQUIRE(home.back_up().has_value());
        // Each name that is moved is a place where a crash may come.
        for (const std::string name : {"", "registry.db", "ca", "admin.token"}) {
            for (const bool moved_out : {false, true}) {
                CAPTURE(name);
                CAPTURE(moved_out);
                Home other{"8a"};
                const fs::path data = other.data();
                auto staged = backup::stage(data, {home.file(), kSecret, {}, false},
                                            home.clock.wall_now(), home.random)
                                  .value();
                const fs::path fresh = staged.folder.path();
                staged.folder.release();
                fs::remove(fresh / "manifest.json");
                fs::remove_all(fresh / "config");
                const fs::path before = data / "before-restore-x";
                fs::create_directory(before);
                if (moved_out) {
                    for (const std::string& each : backup::replaced_by_restore(data)) {
                        fs::rename(data / each, before / each);
                    }
                }
                if (!name.empty()) {
                    moved_out ? fs::rename(fresh / name, data / name)
                              : fs::rename(data / name, before / name);
                }
                spill(data / "restore.json", R"({"fresh":")" + fresh.filename().string() +
                                                 R"(","before":"before-restore-x","moved_out":)" +
                                                 (moved_out ? "true}" : "false}"));
                CHECK(home.classes_in(data) == std::vector<std::string>{"7b"});
                CHECK_FALSE(fs::exists(data / "restore.json"));
                CHECK_FALSE(fs::exists(fresh));
                CHECK(home.classes_in(before) == std::vector<std::string>{"8a"});
            }
        }
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
        const auto refused = home.restore(home.data());
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E5102");
        CHECK(refused.error().why.find("9.9.9") != std::string::npos);
    }

    TEST_CASE("paths that no backup of ours has are not written, and links are not made") {
        Home home;
        struct Row {
            const char* path;
            int type;
        };
        for (const Row& row :
             {Row{"../evil", AE_IFREG}, Row{"/tmp/evil", AE_IFREG}, Row{"ca/../../evil", AE_IFREG},
              Row{"config/../../evil", AE_IFREG}, Row{"ca/.hidden", AE_IFREG},
              Row{"lock", AE_IFREG}, Row{"registry.db", AE_IFLNK}, Row{"ca/x", AE_IFLNK},
              Row{"ca", AE_IFDIR}}) {
            CAPTURE(row.path);
            fs::remove(home.file());
            forge(home.file(), row.path, row.type, home.random);
            const auto refused = home.restore(home.data());
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().number == "E5107");
            CHECK_FALSE(fs::exists(home.folder.path() / "evil"));
        }
        fs::remove(home.file());
        forge(home.file(), "admin.token", AE_IFREG, home.random);
        CHECK(home.restore(home.data()).error().number == "E5107");
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
        REQUIRE(home.restore(other).has_value());
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

    TEST_CASE("the next automatic backup is due one interval after the last, at once when missed") {
        using backup::Service;
        const WallTime start = from_unix_s(1'795'000'000);
        CHECK(Service::due_at(std::nullopt, start, 24h) == start);
        CHECK(Service::due_at(start - 1h, start, 24h) == start + 23h);
        CHECK(Service::due_at(start - 48h, start, 24h) == start - 24h);
        // A clock that was years ahead.
        CHECK(Service::due_at(start + 10'000h, start, 24h) == start);
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
}
