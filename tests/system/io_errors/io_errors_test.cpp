// Every write, sync and open of the message store fails once: held and tried again, or the process
// dies of it. Whatever happened, a batch is there whole or not at all.
#include <doctest/doctest.h>

#include "base/log.hpp"
#include "storage/messages_db.hpp"
#include "storage/messages_log.hpp"
#include "storage/messages_recovery.hpp"
#include "storage/queue_reader.hpp"
#include "tests/simulation/tables.hpp"
#include "tests/support/random_records.hpp"
#include "tests/support/state_dump.hpp"
#include "tests/unit/provisioning/world.hpp"
#include "tests/unit/storage/failing_vfs.hpp"

using namespace iotsky;
using iotsky::provisioning::test::TemporaryDatabase;
using iotsky::storage::MessagesDb;
using iotsky::storage::test::FailingVfs;

namespace {

constexpr int kFailuresMax = 10'000;  // a sweep that reaches it never ends

/// A message store over a disk that fails at will.
class Disk {
  public:
    Disk() { open(); }

    void open() {
        db_.reset();
        db_ = MessagesDb::open({path(), 1U << 20U}).value();
    }
    /// The process dies while the disk still fails.
    void die() { db_.reset(); }
    [[nodiscard]] std::filesystem::path path() const { return folder_.folder() / "messages.db"; }
    [[nodiscard]] MessagesDb& db() { return *db_; }
    [[nodiscard]] bool apply(const storage::FoldedBatch& batch, broker::BatchNo number) {
        return db_->apply(batch, number, turns_).has_value();
    }
    void recover(broker::RecoveryVisitor& visitor) {
        REQUIRE(storage::recover_sessions(path(), visitor).has_value());
    }
    void recover_retained(const std::function<void(const broker::StoredRetained&)>& visit) {
        REQUIRE(storage::recover_retained(path(), visit).has_value());
    }
    [[nodiscard]] broker::QueuePage read(const broker::QueueRead& read) {
        const auto db =
            storage::Db::open(path(), storage::Db::Mode::read_only, storage::kMessagesWords);
        return storage::read_queue(**db, read).value();
    }

  private:
    TemporaryDatabase folder_;
    std::unique_ptr<MessagesDb> db_;
    broker::OpenTurns turns_;
};

std::vector<broker::RecordChunk> next_batch(test::RandomRecords& records) {
    std::vector<broker::RecordChunk> chunks;
    for (int i = 0; i < 6; ++i) {
        chunks.push_back(records.next());
    }
    return chunks;
}

}  // namespace

TEST_SUITE("io_errors") {
    TEST_CASE("whichever write of a batch fails, the batch held and tried again is right") {
        for (const auto kind : {FailingVfs::Kind::io_error, FailingVfs::Kind::disk_full}) {
            FailingVfs vfs;
            Disk disk;
            test::RandomRecords records(7);
            simulation::Tables tables;
            int failures = 0;
            for (broker::BatchNo number = 1; number <= 25; ++number) {
                const auto chunks = next_batch(records);
                const auto batch = disk.db().fold(chunks);
                bool done = false;
                for (int n = 0; !done; ++n) {
                    CAPTURE(n);
                    REQUIRE(n < kFailuresMax);
                    const std::string before = test::dump_of(disk);
                    vfs.fail_after(n, kind);
                    done = disk.apply(batch, number);
                    vfs.heal();
                    if (!done) {
                        ++failures;
                        REQUIRE(test::dump_of(disk) == before);
                    }
                    if (n % 2 == 0) {
                        REQUIRE(disk.db().reopen().has_value());
                        REQUIRE((disk.db().applied() == number) == done);
                    }
                }
                for (const auto& chunk : chunks) {
                    tables.apply(chunk);
                }
                REQUIRE(test::dump_of(disk) == test::dump_of(tables));
            }
            CHECK(failures > 100);
        }
    }

    TEST_CASE("whichever write is the process's last, a batch is there whole or not at all") {
        FailingVfs vfs;
        Disk disk;
        test::RandomRecords records(11);
        simulation::Tables tables;
        unsigned lost = 0;
        for (broker::BatchNo number = 1; number <= 12; ++number) {
            const auto chunks = next_batch(records);
            bool done = false;
            for (int n = 0; !done; ++n) {
                CAPTURE(n);
                REQUIRE(n < kFailuresMax);
                const std::string before = test::dump_of(disk);
                const auto batch = disk.db().fold(chunks);
                vfs.fail_after(n);
                done = disk.apply(batch, number);
                disk.die();
                vfs.heal();
                disk.open();
                // A commit whose answer was an error may be on disk all the same.
                const bool applied = disk.db().applied() == number;
                REQUIRE((!done || applied));
                if (!applied) {
                    REQUIRE(test::dump_of(disk) == before);
                    ++lost;
                }
                done = applied;
            }
            for (const auto& chunk : chunks) {
                tables.apply(chunk);
            }
            REQUIRE(test::dump_of(disk) == test::dump_of(tables));
        }
        CHECK(lost > 50);
    }

    TEST_CASE("whichever file cannot be opened, the start is refused with a sentence") {
        log::set_level(log::Level::error);
        FailingVfs vfs;
        for (int n = 0;; ++n) {
            CAPTURE(n);
            REQUIRE(n < kFailuresMax);
            TemporaryDatabase folder;
            storage::MessagesOptions options;
            options.path = folder.folder() / "messages.db";
            options.wal_reserve_bytes = 0;
            vfs.fail_opens_after(n);
            const auto opened = storage::MessagesLog::open(options, from_unix_s(1'795'000'000));
            const bool struck = vfs.struck();
            vfs.heal();
            if (opened && !struck) {
                CHECK(n > 2);
                break;
            }
            if (!opened) {
                const std::string& number = opened.error().number;
                CAPTURE(opened.error());
                CHECK((number == "E5304" || number == "E5310" || number == "E5314"));
                CHECK(opened.error().how != "");
            }
            CHECK(storage::MessagesLog::open(options, from_unix_s(1'795'000'000)).has_value());
        }
    }

    TEST_CASE("a garbage slice that fails is done again, and no row is counted twice") {
        FailingVfs vfs;
        Disk disk;
        test::RandomRecords records(3);
        simulation::Tables tables;
        broker::BatchNo number = 0;
        for (int i = 0; i < 60; ++i) {
            const auto chunks = next_batch(records);
            REQUIRE(disk.apply(disk.db().fold(chunks), ++number));
            for (const auto& chunk : chunks) {
                tables.apply(chunk);
            }
            for (int n = 0; disk.db().has_garbage(); ++n) {
                REQUIRE(n < kFailuresMax);
                vfs.fail_after(n);
                (void)disk.apply({}, ++number);
                vfs.heal();
            }
        }
        REQUIRE(test::dump_of(disk) == test::dump_of(tables));
        disk.open();
        REQUIRE(test::dump_of(disk) == test::dump_of(tables));
    }
}
