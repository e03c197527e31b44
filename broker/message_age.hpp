#pragma once

#include <array>
#include <optional>

#include "base/clock.hpp"
#include "broker/ids.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

struct Session;

/// `limits.queue_age_max`: what waited too long is not delivered any more. It is dropped when it
/// would be sent, and in sweeps while its client is away; what is in flight stays. Time while no
/// broker runs does not count; messages of earlier runs count from the start of this one. Confined
/// to one io thread.
class MessageAge {
  public:
    explicit MessageAge(Shard::Impl& shard) noexcept : s_(shard) {}

    /// Whether a queued message has waited too long.
    [[nodiscard]] bool too_old(Mid mid) {
        return limit_.count() != 0 && is_older(static_cast<ThreadId>(mid & 0xffU), mid);
    }
    /// Whether a message of `source` with this number would have, and so all below it.
    [[nodiscard]] bool too_old(ThreadId source, Mid mid) {
        return limit_.count() != 0 && is_older(source, mid);
    }
    void begin_turn();
    /// Notes the thread's numbers, and looks through queues of clients that are away.
    void on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next() const;

  private:
    [[nodiscard]] bool is_older(ThreadId source, Mid mid);
    void sweep(TimePoint now);
    [[nodiscard]] bool drop_old(Session& session);

    Shard::Impl& s_;
    std::chrono::seconds limit_{0};
    std::array<std::optional<Mid>, kThreadsMax> old_{};  // by publishing thread; of this turn
    Mid noted_ = 0;
    TimePoint next_note_{};
    TimePoint next_sweep_{};
    std::uint32_t slot_ = 0;  ///< where the sweep goes on
};

}  // namespace iotsky::broker
