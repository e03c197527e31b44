#include "broker/memory_log.hpp"

#include <utility>

namespace iotsky::broker {

MemoryLog::MemoryLog(Options options, std::vector<Waker*> wakers) : options_(options) {
    durable_.set_wakers(std::move(wakers));
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

BatchNo MemoryLog::append(ThreadId /*thread*/, RecordChunk&& records, Due /*due*/) {
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

LogHealth MemoryLog::health() const {
    return {true, {}, pending_bytes(), durable(), "memory"};
}

void MemoryLog::run() {
    set_thread_name("store");
    while (true) {
        {
            const auto stopping = [this]() IOTSKY_TSA(no_thread_safety_analysis) {
                return stopping_;
            };
            std::unique_lock lock(mutex_.native());
            changed_.wait(lock, [&]() IOTSKY_TSA(no_thread_safety_analysis) {
                return has_pending_ || stopping();
            });
            if (stopping()) {
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
    {
        LockGuard lock(mutex_);
        pending_bytes_ -= bytes;
    }
    durable_.publish(batch);
}

}  // namespace iotsky::broker
