#pragma once

// Internal to broker/net.

#include <memory>

#include "broker/net/address_limiter.hpp"
#include "broker/net/options.hpp"
#include "broker/net/socket_transport.hpp"

namespace iotsky::net {

/// What all threads and connections of one listener share. Lives as long as the last of them.
/// Thread: any; each part says how.
struct ListenerShared {
    explicit ListenerShared(ListenerOptions listener_options)
        : options(std::move(listener_options)), limiter(options.failures_per_minute_max) {}

    const ListenerOptions options;
    AddressLimiter limiter;

    /// The transport that speaks this listener's protocol.
    [[nodiscard]] std::unique_ptr<SocketTransport> make_transport(SocketTransport::Origin&& origin);
};

}  // namespace iotsky::net
