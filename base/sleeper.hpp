#pragma once

#include <atomic>

#include "base/fence.hpp"

namespace iotsky {

/// The one audited "publish, then look whether the other sleeps" pair (a Dekker pair: store-load on
/// both sides, which needs a full fence even on x86; `dataplane.md` 10.3 and
/// tests/unit/base/sleeper_test.cpp).
///
/// Receiver: announce(); look once more at every input; if there is none, sleep; awake().
/// Sender:   publish the input; if must_wake(), signal the receiver (eventfd, condition variable).
class Sleeper {
  public:
    /// Receiver: from now on senders wake. Everything published before is visible to the look that
    /// follows.
    void announce() noexcept {
        sleeping_.store(true, std::memory_order_relaxed);
        full_fence();
    }
    /// Receiver: awake again, by whatever reason.
    void awake() noexcept { sleeping_.store(false, std::memory_order_relaxed); }

    /// Sender, after publishing: true for exactly one of the senders that meet one sleep.
    [[nodiscard]] bool must_wake() noexcept {
        full_fence();
        return sleeping_.load(std::memory_order_relaxed) &&
               sleeping_.exchange(false, std::memory_order_relaxed);
    }

  private:
    std::atomic<bool> sleeping_{false};
};

}  // namespace iotsky
