#pragma once

#include <deque>

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

    struct Expiry {
        TimePoint at;
        SessionRef session;
    };
    Shard::Impl& s_;
    std::deque<Expiry> expiries_;  ///< in order: the expiry time is the same for all
};

}  // namespace iotsky::broker
