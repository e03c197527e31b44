// Every write, sync and open of the message store fails once: held and tried again, or the process
// dies of it. Whatever happened, a batch is there whole or not at all.
#include <doctest/doctest.h>

#include "base/log.hpp"
#include "storage/messages_log.hpp"
#include "tests/simulation/tables.hpp"
#include "tests/support/message_disk.hpp"
#include "tests/support/random_records.hpp"
#include "tests/support/state_dump.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/storage/failing_vfs.hpp"

using namespace iotsky;
using iotsky::storage::test::FailingVfs;
using iotsky::test::MessageDisk;

namespace {

constexpr int kFailuresMax = 10'000;  // a sweep that reaches it never ends
constexpr std::size_t kReserveBytes = 1U << 20U;
const broker::OpenTurns kNoTurns;

bool apply(MessageDisk& disk, const storage::FoldedBatch& batch, broker::BatchNo number) {
    return disk.db().apply(batch, number, kNoTurns).has_value();
}

void apply(simulation::Tables& tables, const std::vector<broker::RecordChunk>& chunks) {
    for (const auto& chunk : chunks) {
        tables.apply(chunk);
    }
}

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
            MessageDisk disk(kReserveBytes);
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
                    done = apply(disk, batch, number);
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
                apply(tables, chunks);
                REQUIRE(test::dump_of(disk) == test::dump_of(tables));
            }
            CHECK(failures > 100);
        }
    }

    TEST_CASE("whichever write is the process's last, a batch is there whole or not at all") {
        FailingVfs vfs;
        MessageDisk disk(kReserveBytes);
        test::RandomRecords records(11, false);
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
                done = apply(disk, batch, number);
                disk.close();
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
            apply(tables, chunks);
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
            TemporaryFolder folder;
            storage::MessagesOptions options;
            options.path = folder.path() / "messages.db";
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
        MessageDisk disk(kReserveBytes);
        test::RandomRecords records(3);
        simulation::Tables tables;
        broker::BatchNo number = 0;
        for (int i = 0; i < 60; ++i) {
            const auto chunks = next_batch(records);
            REQUIRE(apply(disk, disk.db().fold(chunks), ++number));
            apply(tables, chunks);
            for (int n = 0; disk.db().has_garbage(); ++n) {
                REQUIRE(n < kFailuresMax);
                vfs.fail_after(n);
                (void)apply(disk, {}, ++number);
                vfs.heal();
            }
        }
        REQUIRE(test::dump_of(disk) == test::dump_of(tables));
        disk.open();
        REQUIRE(test::dump_of(disk) == test::dump_of(tables));
    }
}
