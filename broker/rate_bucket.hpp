#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.hpp"

namespace iotsky::broker {

/// How often something may happen.
struct Rate {
    std::uint32_t per_second = 1;  ///< over time, 1 .. 1,000,000
    std::uint32_t burst = 1;  ///< at once, 1 .. 1,000,000; 10 ms worth of `per_second` at least,
                              ///< which is as finely as a pause can be kept
};

/// A token bucket in one number: the time at which it is full again. It may be overdrawn; the debt
/// is paid by waiting, so that the rate holds over time whatever was taken at once. Any thread; one
/// atomic operation per call, and no call per message.
class RateBucket {
  public:
    /// Tokens that are there now; 0 when it is empty or overdrawn.
    [[nodiscard]] std::uint32_t available(const Rate& rate, TimePoint now) const noexcept;
    /// Takes `n`, also more than there are. Returns when the next token is there: `now`, or later.
    TimePoint take(const Rate& rate, std::uint64_t n, TimePoint now) noexcept;
    /// Whether nothing is missing: the bucket says no more than a new one.
    [[nodiscard]] bool full(TimePoint now) const noexcept;
    /// Forgets what was taken: the rate has changed.
    void fill() noexcept { full_at_.store(0, std::memory_order_relaxed); }

  private:
    std::atomic<std::int64_t> full_at_{0};  // nanoseconds of the steady clock
};

}  // namespace iotsky::broker
