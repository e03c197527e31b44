#pragma once

// Internal to broker/net.

#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "broker/net/net_counters.hpp"
#include "broker/net/socket_transport.hpp"

namespace iotsky::net {

/// Takes connections from one listening socket of one thread. Confined to its thread.
class Acceptor {
  public:
    Acceptor(UniqueFd listening, std::shared_ptr<ListenerShared> listener);

    /// The next connection that may live; none when nothing waits or none may. Refused ones
    /// (address limit, no descriptor) are closed and counted here.
    [[nodiscard]] std::unique_ptr<SocketTransport> next(TimePoint now, NetCounters& counters);
    [[nodiscard]] int fd() const noexcept { return listening_.get(); }

  private:
    enum class Taken : std::uint8_t { connection, refused, nothing };
    [[nodiscard]] Taken take(SocketTransport::Origin& origin, TimePoint now, NetCounters& counters);
    /// Closes the next waiting connection with the reserve descriptor. False: nothing was closed.
    [[nodiscard]] bool shed(TimePoint now, NetCounters& counters);

    UniqueFd listening_;
    std::shared_ptr<ListenerShared> listener_;
    UniqueFd reserve_;  ///< given up for a moment to close what could not be taken otherwise
    TimePoint told_{};
};

}  // namespace iotsky::net
