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
    /// After a restart: its client is away; expiry counts from now (uptime, not wall time), its
    /// Will fires.
    void leave_after_restart(Session& session);
    /// Ends sessions whose client stayed away too long.
    void expire(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_expiry() const;

  private:
    void fire_will(Session& session);
    void leave(Session& session, CloseReason reason);

    void note_expiry(Session& session);

    struct Expiry {
        TimePoint at;
        SessionRef session;
        [[nodiscard]] bool operator>(const Expiry& other) const noexcept { return at > other.at; }
    };
    Shard::Impl& s_;
    /// The earliest on top; one per session, however often its client comes and goes: one that
    /// left later is put back when it is met.
    std::priority_queue<Expiry, std::vector<Expiry>, std::greater<>> expiries_;
};

}  // namespace iotsky::broker
