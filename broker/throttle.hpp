#pragma once

#include <cstddef>
#include <optional>
#include <queue>
#include <vector>

#include "broker/connection.hpp"
#include "broker/ids.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// The brakes that act by time (R1): a client that sends faster than its class or the broker allows
/// is not read for a while, which slows it down to its rate; its Keep Alive stands still meanwhile
/// (R6). A PUBLISH costs one comparison; the rate is asked once a turn. Confined to the thread.
class Throttle {
  public:
    explicit Throttle(Shard::Impl& shard) noexcept : s_(shard) {}

    /// The limits of the session's identity count from now on: it was admitted or recovered, or its
    /// rights changed. `changed`: they are others than before, and what was used up is forgotten.
    void apply(Session& session, bool changed = false);

    /// Bytes of the connection are about to be looked at.
    void begin_read(Connection& c);
    /// It has published as much as the rate had left: pays for that, and pauses it if nothing is
    /// there now.
    void settle(Connection& c);
    /// All its bytes were looked at.
    void end_read(Connection& c);
    /// So many Topic Filters of SUBSCRIBE or UNSUBSCRIBE came in one packet.
    void count_changes(Connection& c, std::size_t filters);

    /// A receiver of the connection's messages is slow: what it is owed for them waits a little.
    void pace(Connection& c);

    /// Ends the pauses that are due, in their order.
    void on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next() const;

  private:
    struct Pause {
        TimePoint until;
        ConnRef conn;
        friend bool operator>(const Pause& a, const Pause& b) noexcept { return a.until > b.until; }
    };
    void pause(Connection& c, TimePoint until);
    /// How many PUBLISHes the connection may send before the rate is asked again.
    void allow(Connection& c);
    [[nodiscard]] bool may_tell(TimePoint& last) const;

    Shard::Impl& s_;
    std::priority_queue<Pause, std::vector<Pause>, std::greater<>> pauses_;
};

}  // namespace iotsky::broker
