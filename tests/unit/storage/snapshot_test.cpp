#include "storage/snapshot.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "storage/db.hpp"
#include "storage/messages_db.hpp"
#include "tests/support/message_disk.hpp"
#include "tests/support/records.hpp"
#include "tests/unit/storage/failing_vfs.hpp"

using namespace iotsky;
using namespace iotsky::storage;
using iotsky::storage::test::FailingVfs;

namespace {

const Snapshot::Progress kGoOn = [](std::uint64_t) { return true; };

std::int64_t number(const std::filesystem::path& file, const char* sql) {
    auto db = Db::open(file, Db::Mode::read_only, kMessagesWords).value();
    Query query = db->query(sql);
    return query.next() ? query.get<std::int64_t>() : -1;
}

/// 300 retained messages: the file is longer than one step.
void write_batch(iotsky::test::MessageDisk& disk, int from) {
    const std::string payload(4'000, 'x');
    broker::RecordWriter out;
    for (int i = from; i < from + 300; ++i) {
        const std::string topic = "t/" + std::to_string(i);
        out.add(iotsky::test::retain(static_cast<broker::Mid>(i + 1) << 8U, topic, payload,
                                     static_cast<broker::Rev>(i + 1)));
    }
    const broker::RecordChunk chunk = out.take();
    const broker::OpenTurns turns;
    disk.commit(std::span{&chunk, 1}, turns);
}

}  // namespace

TEST_SUITE("storage.snapshot") {
    TEST_CASE(
        "a copy is of one moment, while commits go on between its steps and are not held up") {
        iotsky::test::MessageDisk disk;
        disk.open();
        write_batch(disk, 0);
        auto snapshot = Snapshot::of_messages(disk.path()).value();
        const auto copy = disk.path().parent_path() / "copy.db";
        int steps = 0;
        const auto done = snapshot->copy_to(copy, [&](std::uint64_t bytes) {
            CHECK(bytes <= snapshot->bytes());
            write_batch(disk, 300 * (++steps));
            return true;
        });
        REQUIRE_MESSAGE(done.has_value(), done.error());
        CHECK(steps > 1);
        CHECK(check_messages(copy).has_value());
        CHECK(number(copy, "SELECT count(*) FROM retained") == 300);
        CHECK(number(disk.path(), "SELECT count(*) FROM retained") == 300 * (steps + 1));
        CHECK(snapshot->format() == messages_schema().migrations.size());
        CHECK(messages_format_of(copy).value() == snapshot->format());
    }

    TEST_CASE("a long copy goes to the disk in parts: nobody's sync has to write all of it") {
        const FailingVfs vfs;
        iotsky::test::MessageDisk disk;
        disk.open();
        for (int batch = 0; batch < 12; ++batch) {
            write_batch(disk, 300 * batch);
        }
        auto snapshot = Snapshot::of_messages(disk.path()).value();
        REQUIRE(snapshot->bytes() > (12U << 20U));
        const int before = vfs.syncs();
        REQUIRE(snapshot->copy_to(disk.path().parent_path() / "copy.db", kGoOn).has_value());
        CHECK(vfs.syncs() - before >= 3);  // one for 4 MiB
    }

    TEST_CASE("a copy for which there is no space says so, whichever of its writes it is") {
        FailingVfs vfs;
        iotsky::test::MessageDisk disk;
        disk.open();
        write_batch(disk, 0);
        for (int n = 0;; ++n) {
            CAPTURE(n);
            REQUIRE(n < 10'000);
            const auto copy = disk.path().parent_path() / "copy.db";
            auto snapshot = Snapshot::of_messages(disk.path()).value();
            vfs.fail_after(n, FailingVfs::Kind::disk_full);
            const auto done = snapshot->copy_to(copy, kGoOn);
            vfs.heal();
            std::filesystem::remove(copy);
            if (done) {
                CHECK(n > 100);
                break;
            }
            CHECK(done.error().number == "E5103");
        }
    }

    TEST_CASE("a copy that is ended says so") {
        iotsky::test::MessageDisk disk;
        disk.open();
        write_batch(disk, 0);
        auto snapshot = Snapshot::of_messages(disk.path()).value();
        const auto done = snapshot->copy_to(disk.path().parent_path() / "copy.db",
                                            [](std::uint64_t) { return false; });
        REQUIRE_FALSE(done.has_value());
        CHECK(done.error().number == "E5110");
    }

    TEST_CASE("damage in a copy, and another program's database, are found") {
        iotsky::test::MessageDisk disk;
        disk.open();
        write_batch(disk, 0);
        const auto copy = disk.path().parent_path() / "copy.db";
        REQUIRE(Snapshot::of_messages(disk.path()).value()->copy_to(copy, kGoOn).has_value());
        CHECK_FALSE(check_registry(copy).has_value());
        std::fstream file{copy, std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(8 * 4096);
        file << std::string(4096, 'z');
        file.close();
        const auto damaged = check_messages(copy);
        REQUIRE_FALSE(damaged.has_value());
        CHECK(damaged.error().number == "E5302");
    }

    TEST_CASE("a file that is missing or empty has format 0 and stays as it is") {
        const TemporaryFolder folder;
        CHECK(registry_format_of(folder.path() / "registry.db").value() == 0);
        CHECK_FALSE(std::filesystem::exists(folder.path() / "registry.db"));
        std::ofstream{folder.path() / "registry.db"};
        CHECK(registry_format_of(folder.path() / "registry.db").value() == 0);
    }
}
