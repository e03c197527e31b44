#pragma once

#include <atomic>
#include <vector>

#include "base/thread.hpp"
#include "broker/ids.hpp"
#include "broker/mailbox.hpp"

namespace iotsky::broker {

/// Number of the last durable batch of a log, and the io threads that wait for one. Synchronised;
/// its lock is a leaf, held while an io thread is woken (an eventfd write).
class DurableMark {
  public:
    explicit DurableMark(BatchNo durable = 0) : durable_(durable), wanted_(kThreadsMax, 0) {}

    [[nodiscard]] BatchNo get() const noexcept { return durable_.load(std::memory_order_acquire); }
    /// Everything up to `batch` is durable; an older number than the last one changes nothing.
    void publish(BatchNo batch);
    /// Wakes `thread` once get() >= batch, at once if it is.
    void wake_on(ThreadId thread, BatchNo batch);
    /// io threads are made after the log and end before it; until set, nobody is woken.
    void set_wakers(std::vector<Waker*> wakers);

  private:
    std::atomic<BatchNo> durable_;
    Mutex mutex_;
    std::vector<Waker*> wakers_ IOTSKY_GUARDED_BY(mutex_);
    std::vector<BatchNo> wanted_ IOTSKY_GUARDED_BY(mutex_);  // per thread; 0: does not wait
};

}  // namespace iotsky::broker
