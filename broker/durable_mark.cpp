#include "broker/durable_mark.hpp"

#include <utility>

namespace iotsky::broker {

void DurableMark::publish(BatchNo batch) {
    // Waking inside the lock: set_wakers() may be about to take them away.
    LockGuard lock(mutex_);
    if (batch <= durable_.load(std::memory_order_relaxed)) {
        return;
    }
    durable_.store(batch, std::memory_order_release);
    for (std::size_t thread = 0; thread < wakers_.size(); ++thread) {
        if (wanted_[thread] != 0 && wanted_[thread] <= batch) {
            wanted_[thread] = 0;
            wakers_[thread]->wake();
        }
    }
}

void DurableMark::wake_on(ThreadId thread, BatchNo batch) {
    LockGuard lock(mutex_);
    if (durable_.load(std::memory_order_relaxed) < batch) {
        wanted_[thread] = batch;
    } else if (thread < wakers_.size()) {
        wakers_[thread]->wake();
    }
}

void DurableMark::set_wakers(std::vector<Waker*> wakers) {
    LockGuard lock(mutex_);
    wakers_ = std::move(wakers);
}

}  // namespace iotsky::broker
