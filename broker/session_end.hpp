#pragma once

#include <functional>
#include <queue>
#include <vector>

#include "broker/connection.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// How connections and sessions end: wills, expiry, sealing. Confined to the home thread.
class SessionEnd {
  public:
    explicit SessionEnd(Shard::Impl& shard) noexcept : s_(shard) {}

    /// Ends a connection. Its Will is published unless the client said DISCONNECT or lost its
    /// rights; a clean session ends with it. What the peer must still get (a refusal) is written
    /// first.
    void close(Connection& connection, CloseReason reason);
    /// Frees a connection whose last bytes are gone (or may be dropped).
    void destroy(Connection& connection);
    /// Deletes a session: subscriptions, queue, durable rows.
    void end_session(Session& session);
    /// The principal was revoked: its connection is closed without a Will, nothing more is
    /// delivered, the session ends.
    void seal(Session& session);
    /// After a restart: its client is away. If it was connected before, its expiry counts from now,
    /// and its Will fires.
    void leave_after_restart(Session& session);
    /// Its client is there again; expiry does not count any more.
    void come_back(Session& session);
    /// When a session ends whose client left at this uptime (of all runs): neither a restart nor a
    /// clock that jumps matters. Not in the past.
    [[nodiscard]] TimePoint expiry_of(std::uint64_t away_since_s) const;
    /// Ends sessions whose client stayed away too long, and notes now and then that time goes by.
    void expire(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_expiry() const;

  private:
    void fire_will(Session& session);
    void leave(Session& session, CloseReason reason);

    void note_expiry(Session& session);
    void note_uptime(TimePoint now);

    struct Expiry {
        TimePoint at;
        SessionRef session;
        [[nodiscard]] bool operator>(const Expiry& other) const noexcept { return at > other.at; }
    };
    Shard::Impl& s_;
    /// The earliest on top; one per session, however often its client comes and goes: one that
    /// left later is put back when it is met.
    std::priority_queue<Expiry, std::vector<Expiry>, std::greater<>> expiries_;
    TimePoint next_note_{};
};

}  // namespace iotsky::broker
