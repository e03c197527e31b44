#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "base/thread.hpp"
#include "broker/durable_log.hpp"
#include "broker/durable_mark.hpp"
#include "storage/checkpointer.hpp"
#include "storage/messages_db.hpp"
#include "storage/page_reader.hpp"
#include "storage/snapshot.hpp"

namespace iotsky::storage {

/// What an acknowledgement promises (`decisions.md` 17).
enum class Durability : std::uint8_t {
    durable,  ///< acknowledged = on disk
    relaxed,  ///< acknowledged = on disk within kRelaxedBound
};

struct MessagesOptions {
    std::filesystem::path path;
    Durability durability = Durability::durable;
    /// Longest time a batch that nobody waits for collects, 10 to 1000 ms; one that somebody waits
    /// for is due at once. Longer: fewer syncs, and more to lose in relaxed mode.
    std::chrono::milliseconds batch_wait_max{200};
    /// Between two tries of a commit that failed.
    std::chrono::milliseconds retry_every{250};
    std::size_t wal_reserve_bytes = 64U << 20U;
};

/// The log on disk: messages.db (`dataplane.md` 2). Chunks of all threads collect in one list; the
/// thread `store` takes it whole, folds it, commits it in one transaction and says that it is
/// durable. A commit that fails is held and tried again, unchanged, for as long as it takes:
/// nothing in memory is taken back, the gates stay shut. Synchronised; owns the threads `store`,
/// `checkpoint` and `reader`.
class MessagesLog final : public broker::DurableLog {
  public:
    /// In relaxed mode acknowledgements wait for the disk, too, when it is further behind than
    /// this: then the bound holds on a slow disk as well.
    static constexpr std::chrono::milliseconds kRelaxedBound{1'000};

    /// Opens or creates the database. A damaged one is set aside and an empty one takes its place:
    /// warnings() then says what was lost. Errors: E5304, E5310, E5312, E5313, E5314.
    [[nodiscard]] static Result<std::unique_ptr<MessagesLog>> open(MessagesOptions options,
                                                                   WallTime now);
    /// Commits what was appended; a disk that refuses that for a second keeps it, unacknowledged.
    ~MessagesLog() override;

    [[nodiscard]] broker::BatchNo append(broker::ThreadId thread, broker::RecordChunk&& records,
                                         broker::Due due) override;
    void hurry(broker::BatchNo batch) override;
    [[nodiscard]] broker::BatchNo durable() const noexcept override { return mark_.get(); }
    void wake_on(broker::ThreadId thread, broker::BatchNo batch) override {
        mark_.wake_on(thread, batch);
    }
    void set_wakers(std::vector<broker::Waker*> wakers) override {
        mark_.set_wakers(std::move(wakers));
    }
    [[nodiscard]] std::size_t pending_bytes() const noexcept override {
        return pending_bytes_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool accepting() const noexcept override {
        return accepting_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool keeps_up() const noexcept override;
    [[nodiscard]] broker::LogHealth health() const override;
    /// Of batches with records; tries that failed count into the time of the batch.
    [[nodiscard]] const Histogram* commit_seconds() const noexcept override {
        return &commit_seconds_;
    }
    void recover(broker::RecoveryVisitor& visitor) override;
    void recover_retained(const std::function<void(const broker::StoredRetained&)>& visit) override;
    [[nodiscard]] broker::LogCounters counters() const override { return counters_; }
    [[nodiscard]] bool keeps_queues() const noexcept override { return true; }
    void read(broker::QueueRead read, std::function<void(broker::QueuePage)> answer) override;

    /// What people should know about the start: a store that was set aside.
    [[nodiscard]] const std::vector<Error>& warnings() const noexcept { return warnings_; }

    /// messages.db as it is now, for a backup; commits go on. The log outlives the snapshot.
    /// Errors: those of Snapshot::of_messages. Thread: any.
    [[nodiscard]] Result<std::shared_ptr<Snapshot>> snapshot();

  private:
    using Instant = std::chrono::steady_clock::time_point;
    struct Batch {
        broker::BatchNo number = 0;
        std::vector<broker::RecordChunk> chunks;
        std::size_t bytes = 0;
    };
    MessagesLog(MessagesOptions options, std::unique_ptr<MessagesDb> db,
                std::unique_ptr<Checkpointer> checkpointer, std::vector<Error> warnings);
    void note_oldest() IOTSKY_REQUIRES(mutex_);
    void fail_for_good(const Error& damage);
    // The store thread.
    void run();
    [[nodiscard]] std::optional<Batch> take_due();
    [[nodiscard]] bool is_due() const IOTSKY_REQUIRES(mutex_);
    [[nodiscard]] bool commit(const Batch& batch);
    [[nodiscard]] Result<void> try_commit(const FoldedBatch& batch, broker::BatchNo number);
    [[nodiscard]] Result<void> try_again(const FoldedBatch& batch, broker::BatchNo number,
                                         const Error& before);
    [[nodiscard]] bool wait_for_retry();
    void hold(const Error& error, const std::string& reason);
    void go_on();
    void committed(const Batch& batch);
    void start_reads(broker::BatchNo batch);
    void read_failed(const Error& error, std::string_view what);

    const MessagesOptions options_;
    const std::vector<Error> warnings_;
    const broker::LogCounters counters_;  // at start

    // Of the store thread.
    std::unique_ptr<MessagesDb> db_;
    std::unique_ptr<Checkpointer> checkpointer_;

    Histogram commit_seconds_;  // written by the store thread
    broker::DurableMark mark_;
    std::atomic<std::size_t> pending_bytes_{0};
    std::atomic<bool> accepting_{true};            // changes with reason_
    std::atomic<Instant> oldest_{Instant::max()};  // of what is not on disk yet, when it came
    mutable Mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<broker::RecordChunk> pending_ IOTSKY_GUARDED_BY(mutex_);
    std::size_t collecting_bytes_ IOTSKY_GUARDED_BY(mutex_) = 0;
    broker::BatchNo collecting_ IOTSKY_GUARDED_BY(mutex_);
    bool due_ IOTSKY_GUARDED_BY(mutex_) = false;
    Instant collecting_since_ IOTSKY_GUARDED_BY(mutex_);
    std::optional<Instant> committing_since_ IOTSKY_GUARDED_BY(mutex_);
    bool garbage_ IOTSKY_GUARDED_BY(mutex_) = false;
    std::optional<Instant> stopping_since_ IOTSKY_GUARDED_BY(mutex_);
    std::string reason_ IOTSKY_GUARDED_BY(mutex_);           // why not accepting, in words
    std::optional<Error> damage_ IOTSKY_GUARDED_BY(mutex_);  // nothing more is written
    struct WaitingRead {
        broker::QueueRead read;
        PageReader::Answer answer;
    };
    broker::BatchNo committed_ IOTSKY_GUARDED_BY(mutex_);               // what readers see
    std::vector<WaitingRead> waiting_reads_ IOTSKY_GUARDED_BY(mutex_);  // for a later batch
    PageReader reader_;
    std::thread thread_;
};

}  // namespace iotsky::storage
