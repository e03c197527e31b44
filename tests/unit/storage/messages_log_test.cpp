// The log over a real database, with its threads.
#include "storage/messages_log.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>

#include "base/log.hpp"
#include "storage/messages_set_aside.hpp"
#include "tests/support/records.hpp"
#include "tests/support/state_dump.hpp"
#include "tests/unit/provisioning/world.hpp"
#include "tests/unit/storage/failing_vfs.hpp"

using namespace iotsky;
using namespace iotsky::broker;
using namespace std::chrono_literals;
using iotsky::provisioning::test::TemporaryDatabase;
using iotsky::storage::Durability;
using iotsky::storage::MessagesLog;
using iotsky::storage::MessagesOptions;
using iotsky::storage::test::FailingVfs;
using iotsky::test::publish;
using iotsky::test::turn;

namespace {

const WallTime kNow = from_unix_s(1'795'000'000);

/// An io thread that sleeps until the log wakes it.
class SleepingThread final : public Waker {
  public:
    void wake() noexcept override {
        const std::lock_guard lock(mutex_);
        woken_ = true;
        changed_.notify_all();
    }
    /// Whether `batch` became durable in time.
    bool sleep_until_durable(DurableLog& log, BatchNo batch, std::chrono::milliseconds time = 20s) {
        log.wake_on(0, batch);
        std::unique_lock lock(mutex_);
        (void)changed_.wait_for(lock, time, [&] { return woken_; });
        woken_ = false;
        return log.durable() >= batch;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool woken_ = false;
};

class Store {
  public:
    explicit Store(Durability durability = Durability::durable) {
        log::set_level(log::Level::error);
        options_.durability = durability;
        options_.path = folder_.folder() / "messages.db";
        options_.wal_reserve_bytes = 1U << 20U;
        options_.retry_every = 5ms;
    }
    ~Store() { close(); }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    MessagesOptions& options() { return options_; }
    MessagesLog& open() {
        close();
        log_ = MessagesLog::open(options_, kNow).value();
        log_->set_wakers({&thread_});
        return *log_;
    }
    void close() {
        if (log_) {
            log_->set_wakers({});
            log_.reset();
        }
    }
    SleepingThread& thread() { return thread_; }
    [[nodiscard]] std::filesystem::path folder() const { return folder_.folder(); }

  private:
    TemporaryDatabase folder_;
    MessagesOptions options_;
    SleepingThread thread_;
    std::unique_ptr<MessagesLog> log_;
};

RecordChunk open_session(Sid sid) {
    const std::string client = std::to_string(sid);
    return turn(SessionOpenRecord{sid, "s", client, 1});
}

/// What the log recovers, its queues read as an io thread reads them.
std::string dump_of(MessagesLog& log) {
    struct Reading {
        void recover(RecoveryVisitor& visitor) { log.recover(visitor); }
        void recover_retained(const std::function<void(const StoredRetained&)>& visit) {
            log.recover_retained(visit);
        }
        [[nodiscard]] QueuePage read(const QueueRead& read) {
            std::promise<QueuePage> page;
            log.read(read, [&](QueuePage answer) { page.set_value(std::move(answer)); });
            return page.get_future().get();
        }
        MessagesLog& log;
    } reading{log};
    return test::dump_of(reading);
}

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_SUITE("storage.messages_log") {
    TEST_CASE("what is durable is there after a restart, in the order of the log") {
        Store store;
        MessagesLog& log = store.open();
        const PublishTarget targets[] = {{1, 1, Form::plain}};
        (void)log.append(0, open_session(1), Due::at_once);
        const BatchNo batch = log.append(1,
                                         turn(SubscribeRecord{1, "t", 1}, publish(256, targets),
                                              SentRecord{1, 256, Form::plain, 3, 1}),
                                         Due::at_once);
        CHECK(store.thread().sleep_until_durable(log, batch));
        const std::string before = dump_of(log);
        CHECK(lines(before) == 3);
        MessagesLog& again = store.open();
        CHECK(dump_of(again) == before);
        CHECK(again.counters().sid == 1);
        CHECK(again.counters().mid == 256);
        CHECK(again.durable() >= batch);
    }

    TEST_CASE("a batch that nobody waits for collects, and goes when its time is over") {
        Store store;
        store.options().batch_wait_max = 50ms;
        MessagesLog& log = store.open();
        const auto began = std::chrono::steady_clock::now();
        const BatchNo batch = log.append(0, open_session(1), Due::soon);
        CHECK(log.append(0, open_session(2), Due::soon) == batch);
        CHECK(store.thread().sleep_until_durable(log, batch));
        CHECK(std::chrono::steady_clock::now() - began >= 50ms);
    }

    TEST_CASE("a batch is due at once when something comes to wait for it") {
        Store store;
        store.options().batch_wait_max = 1h;
        MessagesLog& log = store.open();
        const BatchNo first = log.append(0, open_session(1), Due::soon);
        log.hurry(first);
        CHECK(store.thread().sleep_until_durable(log, first));
        const BatchNo second = log.append(0, open_session(2), Due::soon);
        CHECK(log.append(0, open_session(3), Due::at_once) == second);
        CHECK(store.thread().sleep_until_durable(log, second));
    }

    TEST_CASE("closing commits what collects, without waiting for its time") {
        Store store;
        store.options().batch_wait_max = 1h;
        (void)store.open().append(0, open_session(1), Due::soon);
        const auto began = std::chrono::steady_clock::now();
        store.close();
        CHECK(std::chrono::steady_clock::now() - began < 1min);
        CHECK(lines(dump_of(store.open())) == 1);
    }

    TEST_CASE("a session that ends gives its rows, and the disk its space, back within a second") {
        constexpr Mid kMessages = 8'000;
        const std::string payload(8'000, 'x');
        const PublishTarget targets[] = {{1, 1, Form::plain}};
        Store store;
        store.options().wal_reserve_bytes = 0;
        MessagesLog& log = store.open();
        const auto file = store.folder() / "messages.db";
        (void)log.append(0, open_session(1), Due::at_once);
        BatchNo batch = 0;
        for (Mid n = 0; n < kMessages; n += 100) {
            RecordWriter out;
            for (Mid i = n; i < n + 100; ++i) {
                PublishRecord record = publish((i + 1) << 8U, targets);
                record.payload = as_bytes(std::string_view{payload});
                out.add(record);
            }
            batch = log.append(0, out.take(), Due::at_once);
        }
        REQUIRE(store.thread().sleep_until_durable(log, batch));
        while (std::filesystem::file_size(file) < kMessages * payload.size() / 2) {
            std::this_thread::sleep_for(1ms);  // a checkpoint brings it there
        }
        batch = log.append(0, turn(SessionEndRecord{1}), Due::at_once);
        REQUIRE(store.thread().sleep_until_durable(log, batch));
        const auto ended = std::chrono::steady_clock::now();
        // 16 MiB are kept for what comes next.
        while (std::filesystem::file_size(file) > (18U << 20U) &&
               std::chrono::steady_clock::now() - ended < 20s) {
            std::this_thread::sleep_for(1ms);
        }
        const auto took = std::chrono::steady_clock::now() - ended;
        CHECK(std::filesystem::file_size(file) <= (18U << 20U));
        CHECK(took < 5s);  // 1 s, on a machine that is not busy with other tests
        MESSAGE("space was back after ",
                std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), " ms");
        CHECK(dump_of(log).empty());
    }

    TEST_CASE("batches are numbered on over restarts") {
        Store store;
        const BatchNo before = store.open().append(0, open_session(1), Due::at_once);
        MessagesLog& log = store.open();
        CHECK(log.durable() == before);
        CHECK(log.append(0, open_session(2), Due::at_once) == before + 1);
    }

    TEST_CASE("relaxed: durable at once, on disk within the batch's time") {
        Store store(Durability::relaxed);
        store.options().batch_wait_max = 1h;
        MessagesLog& log = store.open();
        const BatchNo batch = log.append(0, open_session(1), Due::at_once);
        CHECK(log.durable() >= batch);
        CHECK(dump_of(log).empty());
        CHECK(log.health().mode == "relaxed");
    }

    TEST_CASE("relaxed: while the disk refuses, acknowledgements wait for it") {
        FailingVfs disk;
        Store store(Durability::relaxed);
        store.options().batch_wait_max = 1ms;
        MessagesLog& log = store.open();
        disk.fail_after(0);
        const BatchNo first = log.append(0, open_session(1), Due::at_once);
        while (log.accepting()) {
            std::this_thread::yield();
        }
        const BatchNo second = log.append(0, open_session(2), Due::at_once);
        CHECK(second > first);
        CHECK(log.durable() == first);
        disk.heal();
        CHECK(store.thread().sleep_until_durable(log, second));
    }

    TEST_CASE("a commit that fails is held, told in words and done when the disk works again") {
        for (const auto kind : {FailingVfs::Kind::disk_full, FailingVfs::Kind::io_error}) {
            FailingVfs disk;
            Store store;
            MessagesLog& log = store.open();
            disk.fail_after(0, kind);
            const BatchNo first = log.append(0, open_session(1), Due::at_once);
            while (log.accepting()) {
                std::this_thread::yield();
            }
            const LogHealth health = log.health();
            CHECK_FALSE(health.accepting);
            const char* word = kind == FailingVfs::Kind::disk_full ? "full" : "cannot be";
            CHECK(health.reason.find(word) != std::string::npos);
            const BatchNo second = log.append(1, open_session(2), Due::at_once);
            CHECK(second == first + 1);
            CHECK_FALSE(store.thread().sleep_until_durable(log, first, 30ms));
            CHECK(log.pending_bytes() > 0);
            disk.heal();
            CHECK(store.thread().sleep_until_durable(log, second));
            CHECK(log.health().accepting);
            CHECK(log.health().reason.empty());
            CHECK(log.pending_bytes() == 0);
            CHECK(lines(dump_of(store.open())) == 2);
        }
    }

    TEST_CASE("a disk that never comes back does not keep the program from ending") {
        FailingVfs disk;
        Store store;
        MessagesLog& log = store.open();
        log::set_level(log::Level::error);
        disk.fail_after(0);
        (void)log.append(0, open_session(1), Due::at_once);
        const auto began = std::chrono::steady_clock::now();
        store.close();
        const auto took = std::chrono::steady_clock::now() - began;
        CHECK(took >= 1s);
        CHECK(took < 20s);
        disk.heal();
        CHECK(dump_of(store.open()).empty());
    }

    TEST_CASE("a damaged store is set aside whole; an empty one starts and tells what was lost") {
        Store store;
        MessagesLog& log = store.open();
        const BatchNo batch = log.append(0, open_session(1), Due::at_once);
        CHECK(store.thread().sleep_until_durable(log, batch));
        store.close();
        {
            std::fstream file(store.options().path,
                              std::ios::in | std::ios::out | std::ios::binary);
            file.seekp(100);
            file << std::string(300, '\xff');
        }
        MessagesLog& fresh = store.open();
        CHECK(dump_of(fresh).empty());
        REQUIRE(fresh.warnings().size() == 1);
        CHECK(fresh.warnings()[0].number == "E5302");
        CHECK(fresh.warnings()[0].message.find("lost: ") != std::string::npos);
        CHECK(fresh.warnings()[0].why.find("messages.db.damaged-2026") != std::string::npos);
        std::size_t kept = 0;
        for (const auto& entry : std::filesystem::directory_iterator(store.folder())) {
            kept += entry.path().filename().string().starts_with("messages.db.damaged-") ? 1U : 0U;
        }
        CHECK(kept >= 1);
        CHECK(store.open().warnings().empty());
    }

    TEST_CASE("damage that was met while running sets the store aside at the next start") {
        Store store;
        MessagesLog& log = store.open();
        const BatchNo batch = log.append(
            0, turn(SessionOpenRecord{1, "s", "c", 1}, SubscribeRecord{1, "a", 1}), Due::at_once);
        CHECK(store.thread().sleep_until_durable(log, batch));
        store.close();
        storage::mark_damaged(store.options().path, make_error(Errc::corrupt, "E5302", "", "", ""));
        MessagesLog& fresh = store.open();
        REQUIRE(fresh.warnings().size() == 1);
        CHECK(fresh.warnings()[0].message.find("1 sessions, 1 subscriptions, 0 queued messages") !=
              std::string::npos);
        CHECK(store.open().warnings().empty());
    }

    TEST_CASE("a page knows the batch that it was asked for") {
        Store store;
        store.options().batch_wait_max = 1h;
        MessagesLog& log = store.open();
        const PublishTarget targets[] = {{1, 1, Form::plain}};
        QueueRead read = test::whole_queue(1);
        read.batch = log.append(0, turn(SessionOpenRecord{1, "s", "c", 1}, publish(256, targets)),
                                Due::soon);
        std::promise<QueuePage> page;
        // Nobody else waits for the batch: the question makes it due.
        log.read(read, [&](QueuePage answer) { page.set_value(std::move(answer)); });
        CHECK(page.get_future().get().queued.size() == 1);
        CHECK(log.durable() >= read.batch);
    }

    TEST_CASE("a page that cannot be read is read when the disk works again") {
        FailingVfs disk;
        Store store;
        MessagesLog& log = store.open();
        const BatchNo batch = log.append(0, open_session(1), Due::at_once);
        CHECK(store.thread().sleep_until_durable(log, batch));
        disk.fail_opens_after(0);
        std::promise<QueuePage> page;
        log.read(test::whole_queue(1),
                 [&](QueuePage answer) { page.set_value(std::move(answer)); });
        auto answer = page.get_future();
        CHECK(answer.wait_for(50ms) == std::future_status::timeout);
        disk.heal();
        CHECK(answer.get().queued.empty());
    }

    TEST_CASE("a recovery that the disk cut short lets nothing become durable, and says so") {
        FailingVfs disk;
        Store store;
        MessagesLog& log = store.open();
        const BatchNo before = log.append(0, open_session(1), Due::at_once);
        CHECK(store.thread().sleep_until_durable(log, before));
        store.close();
        MessagesLog& again = store.open();
        disk.fail_opens_after(0);
        test::StateDump dump;
        again.recover(dump);
        disk.heal();
        const BatchNo batch = again.append(0, open_session(2), Due::at_once);
        CHECK_FALSE(store.thread().sleep_until_durable(again, batch, 30ms));
        CHECK_FALSE(again.accepting());
        CHECK(again.health().reason.find("could not be read at the start") != std::string::npos);
        store.close();
        CHECK(lines(dump_of(store.open())) == 1);
    }

    TEST_CASE("whichever read of a start fails, what opens takes persistent sessions") {
        FailingVfs disk;
        Store store;
        CHECK(dump_of(store.open()).empty());
        store.close();
        bool struck = true;
        for (int n = 0; struck; ++n) {
            CAPTURE(n);
            REQUIRE(n < 1'000);
            disk.fail_reads_after(n);
            auto opened = MessagesLog::open(store.options(), kNow);
            if (opened) {
                // Its thread looks for garbage, which nobody waits for.
                const auto end = std::chrono::steady_clock::now() + 20ms;
                while (std::chrono::steady_clock::now() < end && (*opened)->accepting()) {
                    std::this_thread::yield();
                }
                CHECK((*opened)->accepting());
            }
            struck = disk.struck();
            disk.heal();
        }
    }

    TEST_CASE("two threads' chunks keep the order in which they were appended") {
        Store store;
        MessagesLog& log = store.open();
        std::vector<std::thread> threads;
        // Each thread opens a session and ends it again: out of order, one would be left.
        for (ThreadId t = 0; t < 4; ++t) {
            threads.emplace_back([&log, t] {
                for (Sid i = 0; i < 200; ++i) {
                    const Sid sid = 1 + t * 1'000U + i;
                    (void)log.append(t, open_session(sid), Due::at_once);
                    (void)log.append(t, turn(SessionEndRecord{sid}), Due::soon);
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        CHECK(dump_of(store.open()).empty());
    }
}
