#pragma once

// Internal to broker/net.

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "broker/net/address_limiter.hpp"
#include "broker/net/handshake_doctor.hpp"
#include "broker/net/net_counters.hpp"
#include "broker/net/options.hpp"
#include "broker/net/socket_transport.hpp"
#include "broker/net/tls_context.hpp"
#include "broker/net/web_connection.hpp"

namespace iotsky::net {

/// What all threads and connections of one listener share. Lives as long as the last of them.
/// Thread: any; each part says how.
struct ListenerShared {
    ListenerShared(ListenerOptions listener_options, std::shared_ptr<TlsSlot> tls_slot,
                   std::shared_ptr<HandshakeDoctor> handshake_doctor, WebHandler web_handler = {})
        : options(std::move(listener_options)),
          handshake_timeout(options.handshake_timeout),
          limiter(options.failures_per_minute_max),
          tls(std::move(tls_slot)),
          doctor(std::move(handshake_doctor)),
          web(std::move(web_handler)) {}

    const ListenerOptions options;  ///< as they were at the start
    std::atomic<std::chrono::milliseconds> handshake_timeout;
    AddressLimiter limiter;
    HandshakeCounters handshakes;
    WebSocketCounters websockets;
    const std::shared_ptr<TlsSlot> tls;  ///< set where there is TLS
    const std::shared_ptr<HandshakeDoctor> doctor;
    const WebHandler web;  ///< set for https only

    /// Takes over what can change while connections live: timeout and limit of failures.
    void change(const ListenerOptions& fresh) noexcept {
        handshake_timeout.store(fresh.handshake_timeout, std::memory_order_relaxed);
        limiter.set_max(fresh.failures_per_minute_max);
    }
    /// The transport that speaks this listener's protocol.
    [[nodiscard]] std::unique_ptr<SocketTransport> make_transport(SocketTransport::Origin&& origin);
};

}  // namespace iotsky::net
