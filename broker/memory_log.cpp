#include "broker/memory_log.hpp"

#include <utility>

namespace iotsky::broker {

MemoryLog::MemoryLog(Options options, std::vector<Waker*> wakers)
    : options_(options), wakers_(std::move(wakers)), wanted_(kThreadsMax, 0) {
    thread_ = std::thread([this] { run(); });
}

MemoryLog::~MemoryLog() {
    {
        LockGuard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

BatchNo MemoryLog::append(ThreadId /*thread*/, RecordChunk&& records) {
    BatchNo batch = 0;
    bool first = false;
    {
        LockGuard lock(mutex_);
        pending_bytes_ += records.size();
        first = !std::exchange(has_pending_, true);
        batch = collecting_;
    }
    records.clear();
    if (first) {
        changed_.notify_one();
    }
    return batch;
}

void MemoryLog::wake_on(ThreadId thread, BatchNo batch) {
    LockGuard lock(mutex_);
    if (durable_.load(std::memory_order_relaxed) < batch) {
        wanted_[thread] = batch;
    } else if (thread < wakers_.size()) {
        wakers_[thread]->wake();
    }
}

LogHealth MemoryLog::health() const {
    return {true, {}, pending_bytes(), durable(), "memory"};
}

void MemoryLog::set_wakers(std::vector<Waker*> wakers) {
    LockGuard lock(mutex_);
    wakers_ = std::move(wakers);
}

void MemoryLog::run() {
    set_thread_name("store");
    while (true) {
        {
            std::unique_lock lock(mutex_.native());
            changed_.wait(lock, [this]() IOTSKY_TSA(no_thread_safety_analysis) {
                return has_pending_ || stopping_;
            });
            if (stopping_) {
                return;
            }
        }
        commit_one();
    }
}

void MemoryLog::commit_one() {
    BatchNo batch = 0;
    std::size_t bytes = 0;
    {
        LockGuard lock(mutex_);
        batch = collecting_++;  // later appends belong to the next batch
        bytes = pending_bytes_;
        has_pending_ = false;
    }
    if (options_.commit_delay.count() > 0) {
        std::this_thread::sleep_for(options_.commit_delay);
    }
    // Waking inside the lock: set_wakers() may be about to take them away.
    LockGuard lock(mutex_);
    pending_bytes_ -= bytes;
    durable_.store(batch, std::memory_order_release);
    for (std::size_t thread = 0; thread < wakers_.size(); ++thread) {
        if (wanted_[thread] != 0 && wanted_[thread] <= batch) {
            wanted_[thread] = 0;
            wakers_[thread]->wake();
        }
    }
}

}  // namespace iotsky::broker
