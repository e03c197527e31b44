#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "base/clock.hpp"
#include "broker/ids.hpp"
#include "broker/transport.hpp"

namespace iotsky::net {

/// What the Poller drives: the turn of one broker::Shard (ShardSink), or an echo in tests. Each
/// function means what the function of that name means in broker/shard.hpp. Confined to the
/// Poller's thread.
class PollerSink {
  public:
    virtual ~PollerSink() = default;
    virtual void begin_turn(TimePoint now, WallTime wall) = 0;
    virtual broker::ConnRef open(std::unique_ptr<broker::Transport> transport,
                                 TimePoint accepted_at) = 0;
    /// False: closed or handed over; the transport is no longer the Poller's business.
    [[nodiscard]] virtual bool on_bytes(broker::ConnRef conn, std::span<const std::byte> bytes) = 0;
    virtual void on_writable(broker::ConnRef conn) = 0;
    virtual void on_peer_closed(broker::ConnRef conn, broker::CloseReason reason) = 0;
    [[nodiscard]] virtual bool reading_paused(broker::ConnRef conn) const = 0;
    virtual void on_time() = 0;
    virtual void commit_turn() = 0;
    virtual void flush() = 0;
    [[nodiscard]] virtual bool has_work() const = 0;
    [[nodiscard]] virtual bool may_sleep() = 0;
    [[nodiscard]] virtual std::optional<TimePoint> next_deadline() const = 0;
    virtual void shut_down() = 0;
    [[nodiscard]] virtual std::size_t connections() const = 0;
};

}  // namespace iotsky::net
