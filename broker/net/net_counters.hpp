#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/metrics.hpp"
#include "broker/net/handshake_doctor.hpp"

namespace iotsky::net {

using FaultCounts =
    std::array<std::atomic<std::uint64_t>, kHandshakeFaults>;  ///< by HandshakeFault

/// TLS handshakes of one listener since the start; any thread counts, any reads. They are too rare
/// for the shared cache line to matter.
struct HandshakeCounters {
    std::atomic<std::uint64_t> full{0};
    std::atomic<std::uint64_t> resumed{0};
    FaultCounts failed{};
};

/// Requests for a WebSocket likewise; over TLS its handshake is counted above, whatever the request
/// comes to.
struct WebSocketCounters {
    std::atomic<std::uint64_t> opened{0};
    FaultCounts failed{};
};

inline void add_one(std::atomic<std::uint64_t>& counter) noexcept {
    counter.fetch_add(1, std::memory_order_relaxed);
}

/// One io thread's numbers; written by it, read by any thread.
struct NetCounters {
    Count accepted;
    Count refused_by_limit;     ///< closed at once: the address failed too often
    Count refused_descriptors;  ///< closed at once: no descriptor was free
    Count handshakes_waiting;   ///< TLS or request for a WebSocket, begun and not finished
    Count unfinished_connects;  ///< closed before any byte of ours went out
    Count bytes_received;       ///< plain bytes of MQTT
    Count turns;
    Count lingering;              ///< closed, last bytes on their way
    Histogram turn_seconds;       ///< length of a turn: the event loop's lag
    Histogram handshake_seconds;  ///< from accept to a finished TLS handshake
};

}  // namespace iotsky::net
