// What reaches messages.db equals what the records say, whatever the batches and whenever it is
// opened again.
#include "storage/messages_db.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <fstream>

#include "base/bytes.hpp"
#include "storage/messages_recovery.hpp"
#include "storage/migrate.hpp"
#include "tests/simulation/tables.hpp"
#include "tests/support/message_disk.hpp"
#include "tests/support/random_records.hpp"
#include "tests/support/records.hpp"
#include "tests/support/state_dump.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::broker;
using iotsky::provisioning::test::TemporaryDatabase;
using iotsky::storage::MessagesDb;
using iotsky::test::publish;
using iotsky::test::retain;
using iotsky::test::turn;

namespace {

/// A message store and the turns of the io threads that write to it.
class Disk final : public test::MessageDisk {
  public:
    Disk() : MessageDisk(1U << 20U) {}

    [[nodiscard]] OpenTurns& turns() { return turns_; }
    void commit(const std::vector<RecordChunk>& chunks) { MessageDisk::commit(chunks, turns_); }
    void sweep() {
        REQUIRE(db().find_orphans().has_value());
        while (db().has_garbage()) {
            commit({});
        }
    }
    [[nodiscard]] std::uint64_t count(const char* table) {
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(path().c_str(), &db) == SQLITE_OK);
        std::uint64_t rows = 0;
        const auto take = [](void* out, int, char** columns, char**) {
            *static_cast<std::uint64_t*>(out) = std::stoull(columns[0]);
            return 0;
        };
        const std::string sql = std::string{"SELECT count(*) FROM "} + table;
        CHECK(sqlite3_exec(db, sql.c_str(), take, &rows, nullptr) == SQLITE_OK);
        sqlite3_close(db);
        return rows;
    }

  private:
    OpenTurns turns_;
};

}  // namespace

TEST_SUITE("storage.messages_db") {
    TEST_CASE("random histories in random batches, with restarts, equal the plain tables") {
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            CAPTURE(seed);
            test::RandomRecords records(seed);
            SeededRandom random(seed);
            Disk disk;
            disk.turns().begin(0);  // a value may come late all the time
            simulation::Tables tables;
            for (int batch = 0; batch < 25; ++batch) {
                std::vector<RecordChunk> chunks;
                for (std::uint64_t i = 0; i <= random.below(6); ++i) {
                    chunks.push_back(records.next());
                    tables.apply(chunks.back());
                }
                disk.commit(chunks);
                REQUIRE(test::dump_of(disk) == test::dump_of(tables));
            }
            CHECK(disk.db().counters().sid == tables.counters().sid);
            CHECK(disk.db().counters().mid == tables.counters().mid);
            CHECK(disk.db().counters().uptime_s == tables.counters().uptime_s);
            disk.open();
            CHECK(disk.db().counters().uptime_s == tables.counters().uptime_s);
            CHECK(test::dump_of(disk) == test::dump_of(tables));
            disk.sweep();
            CHECK(disk.count("queue") == tables.queue_rows());
            CHECK(disk.count("messages") == tables.messages());
        }
    }

    TEST_CASE("a page has what its ranges ask for, in order, and says how far it was read") {
        Disk disk;
        disk.commit({turn(SessionOpenRecord{1, "s", "1", 1}, SessionOpenRecord{2, "s", "2", 1})});
        const PublishTarget both_forms[] = {{1, 1, Form::plain}, {1, 1, Form::me}};
        const PublishTarget other[] = {{2, 1, Form::plain}};
        // Threads 3 and 4 publish in turn.
        std::vector<RecordChunk> chunks;
        for (Mid n = 1; n <= 6; ++n) {
            chunks.push_back(turn(publish(n << 8U | 3U, both_forms)));
            chunks.push_back(turn(publish(n << 8U | 4U, other)));
            chunks.push_back(turn(publish(n << 8U | 5U, std::span{both_forms}.first(1))));
        }
        disk.commit(chunks);
        disk.commit({turn(SentRecord{1, 2U << 8U | 3U, Form::plain, 7, 2},
                          SentRecord{1, 1U << 8U | 3U, Form::plain, 6, 1})});
        QueueRead read = test::whole_queue(1);
        read.ranges = {{3, 2U << 8U | 3U, 4U << 8U | 3U}, {5, 6U << 8U | 5U, 6U << 8U | 5U}};
        const auto mids = [](const std::vector<StoredMessage>& messages) {
            std::vector<std::pair<Mid, Mid>> found;
            for (const StoredMessage& message : messages) {
                found.emplace_back(message.mid >> 8U, message.mid & 0xffU);
            }
            return found;
        };
        using Mids = std::vector<std::pair<Mid, Mid>>;
        QueuePage page = disk.read(read);
        CHECK(mids(page.in_flight) == Mids{{1, 3}, {2, 3}});
        CHECK(mids(page.queued) == Mids{{2, 3}, {3, 3}, {3, 3}, {4, 3}, {4, 3}, {6, 5}});
        CHECK(page.read_to == (6U << 8U | 5U));
        // A page ends behind a whole message.
        read.in_flight = false;
        read.messages_max = 2;
        page = disk.read(read);
        CHECK(page.in_flight.empty());
        CHECK(mids(page.queued) == Mids{{2, 3}, {3, 3}, {3, 3}});
        CHECK(page.read_to >= (3U << 8U | 3U));
        CHECK(page.read_to < (4U << 8U | 3U));
        read.messages_max = 100;
        read.bytes_max = 1;
        CHECK(mids(disk.read(read).queued) == Mids{{2, 3}});
    }

    TEST_CASE("a batch that comes to nothing writes nothing") {
        Disk disk;
        disk.commit({turn(SessionOpenRecord{1, "s", "c", 1})});
        const auto before = std::filesystem::last_write_time(disk.path().string() + "-wal");
        const PublishTarget targets[] = {{1, 1, Form::plain}};
        disk.commit({turn(publish(256, targets), DoneRecord{1, 256, Form::plain, {}})});
        CHECK(std::filesystem::last_write_time(disk.path().string() + "-wal") == before);
        CHECK(disk.count("messages") == 0);
    }

    TEST_CASE("a message of several receivers goes with the last of them") {
        Disk disk;
        disk.commit({turn(SessionOpenRecord{1, "s", "1", 1}, SessionOpenRecord{2, "s", "2", 1},
                          SessionOpenRecord{3, "s", "3", 1})});
        const PublishTarget targets[] = {
            {1, 1, Form::plain}, {2, 2, Form::plain}, {3, 1, Form::plain}};
        disk.commit({turn(publish(256, targets))});
        disk.commit({turn(DoneRecord{1, 256, Form::plain, {}})});
        CHECK(disk.count("messages") == 1);
        // After PUBREC only PUBREL is sent: the message is not needed for 2 any more.
        disk.commit(
            {turn(SentRecord{2, 256, Form::plain, 1, 1}, ReceivedRecord{2, 256, Form::plain, 1})});
        CHECK(disk.count("messages") == 1);
        disk.commit({turn(DoneRecord{3, 256, Form::plain, {}})});
        CHECK(disk.count("messages") == 0);
        CHECK(disk.count("queue") == 1);
        disk.commit({turn(DoneRecord{2, 256, Form::plain, {}})});
        CHECK(disk.count("queue") == 0);
    }

    TEST_CASE("a session that ends frees its rows, in slices, and messages that it alone needed") {
        Disk disk;
        disk.commit({turn(SessionOpenRecord{1, "s", "1", 1}, SessionOpenRecord{2, "s", "2", 1})});
        const PublishTarget both[] = {{1, 1, Form::plain}, {2, 1, Form::plain}};
        std::vector<RecordChunk> chunks;
        for (Mid mid = 0; mid < 2'500; ++mid) {
            chunks.push_back(
                turn(publish(256 + mid * 256, std::span{both}.first(mid % 5 == 0 ? 2 : 1))));
        }
        disk.commit(chunks);
        disk.commit({turn(SubscribeRecord{1, "a", 1}, SessionEndRecord{1})});
        CHECK(disk.count("sessions") == 1);
        CHECK(disk.db().has_garbage());
        disk.commit({});
        CHECK(disk.count("queue") == 2'000);  // 1,000 rows in a slice
        CHECK(disk.db().has_garbage());
        while (disk.db().has_garbage()) {
            disk.commit({});
        }
        CHECK(disk.count("queue") == 500);
        CHECK(disk.count("messages") == 500);
        CHECK(disk.count("subscriptions") == 0);
    }

    TEST_CASE("space that a queue took is given back to the disk") {
        Disk disk;
        disk.commit({turn(SessionOpenRecord{1, "s", "1", 1})});
        const PublishTarget targets[] = {{1, 1, Form::plain}};
        const std::string payload(100'000, 'x');
        std::vector<RecordChunk> chunks;
        for (Mid mid = 0; mid < 400; ++mid) {
            PublishRecord record = publish(256 + mid * 256, targets);
            record.payload = as_bytes(payload);
            chunks.push_back(turn(record));
        }
        disk.commit(chunks);
        disk.open();  // a checkpoint at its end: the file has all of it
        const auto before = std::filesystem::file_size(disk.path());
        CHECK(before > 40'000'000);
        disk.commit({turn(SessionEndRecord{1})});
        while (disk.db().has_garbage()) {
            disk.commit({});
        }
        disk.open();
        CHECK(std::filesystem::file_size(disk.path()) < 20'000'000);
    }

    TEST_CASE("garbage that a crash left is found at the next start") {
        Disk disk;
        disk.commit({turn(SessionOpenRecord{1, "s", "1", 1}, SessionOpenRecord{2, "s", "2", 1})});
        const PublishTarget both[] = {{1, 1, Form::plain}, {2, 1, Form::plain}};
        disk.commit({turn(publish(256, both), SubscribeRecord{1, "a", 1})});
        disk.commit({turn(SessionEndRecord{1})});
        disk.open();
        CHECK(disk.count("queue") == 2);
        disk.sweep();
        CHECK(disk.count("queue") == 1);
        CHECK(disk.count("messages") == 1);
        CHECK(disk.count("subscriptions") == 0);
    }

    TEST_CASE("a retained message that was deleted is not resurrected by an older record") {
        Disk disk;
        disk.turns().begin(1);  // drew revision 2 and has not appended it yet
        disk.commit({turn(retain(256, "t", "first", 1))});
        disk.commit({turn(retain(512, "t", "", 3))});
        CHECK(disk.count("retained") == 0);
        disk.commit({turn(retain(257, "t", "late", 2))});
        CHECK(disk.count("retained") == 0);
        disk.commit({turn(retain(768, "t", "again", 4))});
        CHECK(disk.count("retained") == 1);
    }

    TEST_CASE("numbers are not used again after a restart, also of what is gone") {
        Disk disk;
        const PublishTarget targets[] = {{7, 1, Form::plain}};
        disk.commit({turn(SessionOpenRecord{7, "s", "c", 1}, publish(51'200, targets))});
        disk.commit({turn(DoneRecord{7, 51'200, Form::plain, {}}, SessionEndRecord{7})});
        disk.open();
        CHECK(disk.db().counters().sid == 7);
        CHECK(disk.db().counters().mid == 51'200);
    }

    TEST_CASE("a new session of the same client takes the place of the one that ends before it") {
        Disk disk;
        disk.commit({turn(SessionOpenRecord{1, "s", "c", 1})});
        disk.commit({turn(SessionEndRecord{1}, SessionOpenRecord{2, "s", "c", 1})});
        CHECK(disk.count("sessions") == 1);
    }

    TEST_CASE("opened again, it says which batch it has") {
        Disk disk;
        disk.commit({turn(SessionOpenRecord{1, "s", "c", 1})});
        disk.commit({turn(SessionOpenRecord{2, "s", "d", 1})});
        REQUIRE(disk.db().reopen().has_value());
        CHECK(disk.db().applied() == 2);
        disk.commit({turn(SessionOpenRecord{3, "s", "e", 1})});
        disk.open();
        CHECK(disk.db().applied() == 3);
    }

    TEST_CASE("a batch whose answer was lost is not written twice, and what it opened is known") {
        Disk disk;
        const std::vector<RecordChunk> chunks{turn(SessionOpenRecord{1, "s", "c", 1})};
        {
            auto unheard = MessagesDb::open({disk.path(), 0}).value();
            REQUIRE(unheard->apply(unheard->fold(chunks), 1, disk.turns()).has_value());
        }
        REQUIRE(disk.db().reopen().has_value());
        REQUIRE(disk.db().applied() == 1);
        REQUIRE(disk.db().apply(disk.db().fold(chunks), 1, disk.turns()).has_value());
        disk.commit({turn(SubscribeRecord{1, "a", 1})});
        CHECK(disk.count("sessions") == 1);
        CHECK(disk.count("subscriptions") == 1);
    }

    TEST_CASE("that time went by is kept although nothing else happened") {
        Disk disk;
        disk.commit({turn(UptimeRecord{3'600})});
        disk.commit({turn(UptimeRecord{3'000})});  // another thread's, which came later
        disk.open();
        CHECK(disk.db().counters().uptime_s == 3'600);
    }

    TEST_CASE("a database of format 1 is brought to the newest, and its sessions stay") {
        TemporaryFolder folder;
        const auto path = folder.path() / "messages.db";
        {
            const auto db =
                storage::Db::open(path, storage::Db::Mode::read_write, storage::kMessagesWords);
            storage::Schema first = storage::messages_schema();
            first.migrations = first.migrations.first(1);
            REQUIRE(storage::migrate(**db, path, first).has_value());
            (*db)->run(
                "INSERT INTO sessions (sid, scope, client_id, epoch) VALUES (1, 's', 'c', 1)");
            REQUIRE_FALSE((*db)->failed());
        }
        REQUIRE(MessagesDb::open({path, 0}).has_value());
        test::StateDump dump;
        REQUIRE(storage::recover_sessions(path, dump).has_value());
        CHECK(dump.text() == "session 1 s/c epoch 1 queue 0 of 0\n");
    }

    TEST_CASE("a database of a newer format is refused with a sentence, and left alone") {
        Disk disk;
        sqlite3* db = nullptr;
        REQUIRE(sqlite3_open(disk.path().c_str(), &db) == SQLITE_OK);
        CHECK(sqlite3_exec(db, "PRAGMA user_version = 99", nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(db);
        const auto refused = MessagesDb::open({disk.path(), 0});
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E5312");
        CHECK(refused.error().message.find("format 99") != std::string::npos);
        CHECK(refused.error().how != "");
    }

    TEST_CASE("another database of ours under this name is refused") {
        TemporaryDatabase folder;
        const auto path = folder.folder() / "messages.db";
        REQUIRE(storage::RegistryStore::open(path).has_value());
        CHECK(MessagesDb::open({path, 0}).error().number == "E5313");
    }

    TEST_CASE("a database that another program has locked is told so, and not as a fault of ours") {
        Disk disk;
        sqlite3* other = nullptr;
        REQUIRE(sqlite3_open(disk.path().c_str(), &other) == SQLITE_OK);
        REQUIRE(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
        const auto db =
            storage::Db::open(disk.path(), storage::Db::Mode::read_write, storage::kMessagesWords);
        sqlite3_busy_timeout((*db)->handle(), 1);
        (*db)->run("BEGIN IMMEDIATE");
        REQUIRE((*db)->failed());
        CHECK((*db)->error().number == "E5304");
        CHECK((*db)->error().code == Errc::unavailable);
        CHECK((*db)->error().message.find("locked") != std::string::npos);
        sqlite3_close(other);
    }

    TEST_CASE("damage is told as E5302") {
        TemporaryDatabase folder;
        const auto path = folder.folder() / "messages.db";
        std::ofstream(path) << std::string(8'192, 'x');
        CHECK(MessagesDb::open({path, 0}).error().number == "E5302");
    }
}
