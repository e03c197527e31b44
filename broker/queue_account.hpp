#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "broker/message.hpp"
#include "broker/queue_page.hpp"
#include "broker/records.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// What queues hold: their counts, whose quotas that uses up, what is told of a message that a
/// queue lost, and how full publishers see it. Holds no message itself. Confined to the home
/// thread.
class QueueAccount {
  public:
    explicit QueueAccount(Shard::Impl& shard) noexcept : s_(shard) {}

    void begin_turn() noexcept { queued_elsewhere_.reset(); }

    /// The session's queue, in memory or on disk, has one message of `cost` bytes more, or less.
    void came(Session& session, std::size_t cost);
    void went(Session& session, std::size_t cost);
    /// A queue of an earlier run.
    void came_stored(Session& session, const QueueSize& size);
    /// So many bytes of a message that stays will not be sent again.
    void release(Session& session, std::size_t bytes);
    /// Its identity is another one now: its bytes count for that one's project.
    void join_project(Session& session);
    /// The session ends: nothing of it counts any more, and its slot is the next one's.
    void forget(Session& session);

    /// Whether a queued message of `cost` bytes more is beyond a quota, and whose.
    [[nodiscard]] Quota exceeded(const Session& session, std::size_t cost);
    /// Counts and tells that a message is lost for the session; `quota`: whose, if that is why.
    void dropped(Session& session, std::string_view topic, DoneWhy why, Quota quota = Quota::none);

    /// Tells publishers how full the queue is, if that has changed for them.
    void note_pressure(Session& session);
    /// Looks, about once a second, at sessions that were full because of others.
    void on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next() const noexcept;

  private:
    void add_bytes(Session& session, std::size_t bytes);
    void sub_bytes(Session& session, std::size_t bytes);
    [[nodiscard]] std::size_t broker_bytes();
    [[nodiscard]] Pressure pressure_of(Session& session);
    [[nodiscard]] bool shared_quotas_reach(const Session& session, std::size_t quarters);

    Shard::Impl& s_;
    std::optional<std::size_t> queued_elsewhere_;  ///< bytes of the other threads, in this turn
    std::vector<SessionRef> look_again_;           ///< of sessions that are full because of others
    TimePoint next_look_{};
};

}  // namespace iotsky::broker
