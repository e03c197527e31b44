#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <thread>
#include <utility>
#include <vector>

#include "base/thread.hpp"
#include "broker/durable_log.hpp"
#include "broker/durable_mark.hpp"

namespace iotsky::broker {

/// A log that keeps nothing over a restart, and still delays: a batch counts as committed only
/// after `commit_delay`, so that every gate is used as it will be with a disk behind it. Mode
/// "memory". Synchronised; owns the thread `store`.
class MemoryLog final : public DurableLog {
  public:
    struct Options {
        std::chrono::microseconds commit_delay{200};  ///< 0 .. 1 s; what one group commit takes
    };
    MemoryLog(Options options, std::vector<Waker*> wakers);
    ~MemoryLog() override;

    [[nodiscard]] BatchNo append(ThreadId thread, RecordChunk&& records, Due due) override;
    void hurry(BatchNo /*batch*/) override {}  // every batch is due at once
    [[nodiscard]] BatchNo durable() const noexcept override { return durable_.get(); }
    void wake_on(ThreadId thread, BatchNo batch) override { durable_.wake_on(thread, batch); }
    void set_wakers(std::vector<Waker*> wakers) override { durable_.set_wakers(std::move(wakers)); }
    [[nodiscard]] std::size_t pending_bytes() const noexcept override {
        return pending_bytes_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool accepting() const noexcept override { return true; }
    [[nodiscard]] LogHealth health() const override;
    // Nothing outlives the process.
    void recover(RecoveryVisitor& /*visitor*/) override {}
    void recover_retained(const std::function<void(const StoredRetained&)>& /*visit*/) override {}
    [[nodiscard]] LogCounters counters() const override { return {}; }
    [[nodiscard]] bool keeps_queues() const noexcept override { return false; }
    void read(QueueRead /*read*/, std::function<void(QueuePage)> answer) override { answer({}); }

  private:
    void run();
    void commit_one();

    Options options_;
    mutable Mutex mutex_;
    std::condition_variable changed_;
    std::atomic<std::size_t> pending_bytes_{0};
    BatchNo collecting_ IOTSKY_GUARDED_BY(mutex_) = 1;
    bool has_pending_ IOTSKY_GUARDED_BY(mutex_) = false;
    bool stopping_ IOTSKY_GUARDED_BY(mutex_) = false;
    DurableMark durable_;
    std::thread thread_;
};

}  // namespace iotsky::broker
