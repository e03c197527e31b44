#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <fstream>
#include <thread>

#include "storage/db.hpp"
#include "storage/migrate.hpp"
#include "storage/registry_store.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::TemporaryDatabase;
using iotsky::provisioning::test::World;
using iotsky::storage::RegistryStore;

namespace {

/// Runs SQL over a connection of its own.
std::string sql(const std::filesystem::path& path, const char* text) {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
    std::string value;
    const auto take = [](void* out, int, char** columns, char**) {
        *static_cast<std::string*>(out) = columns[0] == nullptr ? "NULL" : columns[0];
        return 0;
    };
    CHECK(sqlite3_exec(db, text, take, &value, nullptr) == SQLITE_OK);
    sqlite3_close(db);
    return value;
}

ClassRecord class_named(const std::string& name, std::uint8_t number) {
    ClassRecord row;
    row.id.bytes[0] = number;
    row.name = name;
    return row;
}

Result<void> insert(RegistryStore& store, const ClassRecord& row) {
    return store.transact_void(
        [&](Tx& tx) -> Result<void> {
            tx.insert(row);
            return {};
        },
        Ending::commit);
}

bool has_class(RegistryStore& store, const std::string& name) {
    return store
        .read(
            [&](Reader& reader) -> Result<bool> { return reader.class_by_name(name).has_value(); })
        .value();
}

}  // namespace

TEST_SUITE("storage.registry_store") {
    TEST_CASE("a new registry is private, in WAL mode, gives space back and knows its format") {
        TemporaryDatabase file;
        const auto store = RegistryStore::open(file.path()).value();
        struct stat status {};
        REQUIRE(stat(file.path().c_str(), &status) == 0);
        CHECK((status.st_mode & 0777U) == 0600U);
        CHECK(sql(file.path(), "PRAGMA journal_mode") == "wal");
        CHECK(sql(file.path(), "PRAGMA auto_vacuum") == "2");
        CHECK(sql(file.path(), "PRAGMA user_version") ==
              std::to_string(storage::registry_schema().migrations.size()));
    }

    TEST_CASE("every table is STRICT") {
        TemporaryDatabase file;
        const auto store = RegistryStore::open(file.path()).value();
        CHECK(sql(file.path(),
                  "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND strict = 0 "
                  "AND name NOT LIKE 'sqlite_%'") == "0");
    }

    TEST_CASE("an error of the body takes back its transaction and no other") {
        TemporaryDatabase file;
        const auto store = RegistryStore::open(file.path()).value();
        const auto refused = store->transact([&](Tx& tx) -> Result<int> {
            tx.insert(class_named("half", 1));
            return make_error(Errc::conflict, "E1", "no", "", "");
        });
        CHECK(refused.error().number == "E1");
        CHECK_FALSE(has_class(*store, "half"));
        CHECK(insert(*store, class_named("whole", 2)).has_value());
        CHECK(has_class(*store, "whole"));
    }

    TEST_CASE("a transaction that shall be rolled back answers and leaves nothing") {
        TemporaryDatabase file;
        const auto store = RegistryStore::open(file.path()).value();
        const auto answer = store->transact(
            [&](Tx& tx) -> Result<bool> {
                tx.insert(class_named("tried", 1));
                return tx.class_by_name("tried").has_value();
            },
            Ending::roll_back);
        CHECK(answer.value());
        CHECK_FALSE(has_class(*store, "tried"));
    }

    TEST_CASE("a broken rule of the schema fails the call, whatever the body returned") {
        TemporaryDatabase file;
        const auto store = RegistryStore::open(file.path()).value();
        REQUIRE(insert(*store, class_named("7b", 1)).has_value());
        const auto twice = insert(*store, class_named("7b", 2));
        CHECK(twice.error().number == "E5305");
        const auto orphan = store->transact([&](Tx& tx) -> Result<int> {
            StudentRecord row;
            row.class_id.bytes[0] = 99;
            row.pseudonym = "otter";
            tx.insert(row);
            return 1;
        });
        CHECK(orphan.has_error());
        CHECK(has_class(*store, "7b"));
    }

    TEST_CASE("transactions that wait at the same time share commits") {
        TemporaryDatabase file;
        const auto store = RegistryStore::open(file.path()).value();
        constexpr std::uint8_t kThreads = 16;
        const std::uint64_t before = store->commits();
        std::atomic<bool> go{false};
        std::vector<std::thread> threads;
        // The first transaction holds the writer until all others wait behind it.
        std::atomic<int> started{0};
        std::thread first([&] {
            CHECK(store
                      ->transact_void(
                          [&](Tx& tx) -> Result<void> {
                              go = true;
                              while (started < kThreads) {
                                  std::this_thread::yield();
                              }
                              std::this_thread::sleep_for(std::chrono::milliseconds{50});
                              tx.insert(class_named("first", 100));
                              return {};
                          },
                          Ending::commit)
                      .has_value());
        });
        while (!go) {
            std::this_thread::yield();
        }
        for (std::uint8_t i = 0; i < kThreads; ++i) {
            threads.emplace_back([&, i] {
                ++started;
                CHECK(insert(*store, class_named("c" + std::to_string(i), i)).has_value());
            });
        }
        first.join();
        for (std::thread& thread : threads) {
            thread.join();
        }
        for (std::uint8_t i = 0; i < kThreads; ++i) {
            CHECK(has_class(*store, "c" + std::to_string(i)));
        }
        CHECK(store->commits() - before < kThreads);
    }

    TEST_CASE("upkeep gives room back to the file system") {
        World world;
        REQUIRE(world.store
                    ->transact_void(
                        [&](Tx& tx) -> Result<void> {
                            for (int i = 0; i < 500; ++i) {
                                tx.append_event(world.clock.wall_now(), "test",
                                                std::string(4000, 'x'));
                            }
                            return {};
                        },
                        Ending::commit)
                    .has_value());
        const int before = std::stoi(sql(world.database.path(), "PRAGMA page_count"));
        REQUIRE(world.registry->events.mark_published(1000).has_value());
        world.clock.advance(std::chrono::hours{8 * 24});
        REQUIRE(world.registry->maintain().has_value());
        CHECK(std::stoi(sql(world.database.path(), "PRAGMA page_count")) < before / 2);
    }

    TEST_CASE("a registry of a newer format is refused and left alone") {
        TemporaryDatabase file;
        REQUIRE(RegistryStore::open(file.path()).has_value());
        sql(file.path(), "PRAGMA user_version = 99");
        const auto opened = RegistryStore::open(file.path());
        CHECK(opened.error().number == "E5312");
        CHECK(opened.error().how != "");
        CHECK(sql(file.path(), "PRAGMA user_version") == "99");
    }

    TEST_CASE("some other database is refused") {
        TemporaryDatabase file;
        sql(file.path(), "CREATE TABLE recipes (name TEXT)");
        CHECK(RegistryStore::open(file.path()).error().number == "E5313");
        CHECK(sql(file.path(), "SELECT count(*) FROM recipes") == "0");
    }

    TEST_CASE("a file that is no database is refused as damaged, with the way back") {
        TemporaryDatabase file;
        std::ofstream(file.path()) << std::string(8192, 'x');
        const auto opened = RegistryStore::open(file.path());
        CHECK(opened.error().number == "E5311");
        CHECK(opened.error().how.find("backup") != std::string::npos);
        CHECK(opened.error().message.find(file.path().string()) != std::string::npos);
    }

    TEST_CASE("a truncated registry is refused, never a crash") {
        TemporaryDatabase file;
        {
            World world;
            for (int i = 0; i < 5; ++i) {
                world.thing("otter", "t" + std::to_string(i));
            }
            world.registry.reset();
            world.store.reset();
            std::filesystem::copy_file(world.database.path(), file.path());
        }
        const auto size = std::filesystem::file_size(file.path());
        for (const std::uintmax_t part : {size / 2, size - 4096, std::uintmax_t{1000}}) {
            CAPTURE(part);
            std::filesystem::resize_file(file.path(), part);
            CHECK(RegistryStore::open(file.path()).error().code == Errc::corrupt);
        }
    }

    TEST_CASE("flipped bytes are refused or harmless, never a crash") {
        World world;
        world.thing();
        world.registry.reset();
        world.store.reset();
        std::ifstream in(world.database.path(), std::ios::binary);
        const std::string whole{std::istreambuf_iterator<char>(in), {}};
        SeededRandom random(5);
        for (int round = 0; round < 60; ++round) {
            TemporaryDatabase file;
            std::string bytes = whole;
            for (int flips = 0; flips < 8; ++flips) {
                bytes[random.below(bytes.size())] ^= static_cast<char>(1U << random.below(8));
            }
            std::ofstream(file.path(), std::ios::binary) << bytes;
            auto opened = RegistryStore::open(file.path());
            if (!opened) {
                CHECK(opened.error().how != "");
                continue;
            }
            RegistryView view;
            const auto loaded = view.load(**opened);
            CHECK((loaded || loaded.error().how != ""));
        }
    }

    TEST_CASE("a failed migration leaves the old format whole") {
        TemporaryDatabase file;
        REQUIRE(RegistryStore::open(file.path()).has_value());
        storage::Schema schema = storage::registry_schema();
        std::vector<const char*> broken(schema.migrations.begin(), schema.migrations.end());
        broken.push_back("CREATE TABLE later (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);");
        schema.migrations = broken;
        static constexpr storage::DbWords kWords{"The registry", "E5311", ""};
        auto db = storage::Db::open(file.path(), storage::Db::Mode::read_write, kWords).value();
        const auto migrated = storage::migrate(*db, file.path(), schema);
        CHECK(migrated.error().number == "E5314");
        db.reset();
        CHECK(sql(file.path(), "SELECT count(*) FROM sqlite_schema WHERE name = 'later'") == "0");
        CHECK(RegistryStore::open(file.path()).has_value());
    }

    TEST_CASE("what was committed is there after a kill, without any shutdown") {
        World world;
        const Provisioned made = world.thing();
        const std::string before = world.dump();
        // The files as they lie on the disk at this moment: what a killed process leaves.
        TemporaryDatabase copy;
        for (const char* suffix : {"", "-wal"}) {
            std::filesystem::copy_file(world.database.path().string() + suffix,
                                       copy.path().string() + suffix);
        }
        World other;
        other.registry.reset();
        other.store = RegistryStore::open(copy.path()).value();
        other.registry =
            std::make_unique<Registry>(*other.store, other.issuer, other.clock, other.random);
        REQUIRE(other.registry->start().has_value());
        CHECK(other.dump() == before);
        const auto waiting = other.registry->events.unpublished(100).value();
        CHECK(waiting.back().kind == "thing.provisioned");
        CHECK(other.view(made)->name == "7b/otter/weather");
    }
}
