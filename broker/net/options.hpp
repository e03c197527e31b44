#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace iotsky::net {

/// What a listener speaks below MQTT.
enum class Protocol : std::uint8_t {
    mqtt,   ///< plain TCP
    mqtts,  ///< TLS 1.2 or 1.3
    ws,     ///< WebSocket over plain TCP
    wss,    ///< WebSocket over TLS
    https,  ///< the same at one path; whatever else is asked for goes to a WebHandler
};
[[nodiscard]] constexpr bool has_tls(Protocol protocol) noexcept {
    return protocol == Protocol::mqtts || protocol == Protocol::wss || protocol == Protocol::https;
}
[[nodiscard]] constexpr bool has_websocket(Protocol protocol) noexcept {
    return protocol != Protocol::mqtt && protocol != Protocol::mqtts;
}

/// Whether a TLS listener asks for a client certificate.
enum class ClientCertificate : std::uint8_t {
    required,  ///< without one the handshake fails (alert certificate_required)
    optional,  ///< asked for; a peer without one is judged at CONNECT
    none,      ///< not asked for
};

/// What a listener takes for a request of MQTT over WebSocket.
struct WsOptions {
    std::string path = "/mqtt";
    /// Pages that may open it beside those of the listener itself, as browsers send them in Origin:
    /// "https://board.school.example", "null" for pages from a file. Lower case.
    std::vector<std::string> allowed_origins;
    /// Names of this machine, beside its addresses and localhost. Lower case.
    std::vector<std::string> host_names;
    std::size_t head_bytes_max = 8U << 10U;  ///< of the request's head, 1 .. 64 KiB
};

/// One `[listener.NAME]` table, as far as sockets are concerned.
struct ListenerOptions {
    std::string name = "mqtts";
    Protocol protocol = Protocol::mqtts;
    /// "host:port", IPv6 in brackets; port 0: any free one, the same for all threads. `[::]` is
    /// dual-stack, and falls back to 0.0.0.0 on a machine without IPv6.
    std::string bind = "[::]:8883";
    int backlog = 4096;  ///< connections the kernel completes ahead of us, 1 .. 65535
    /// Bytes that may wait unsent in the kernel per connection, 4 KiB .. 4 MiB; 0: the kernel's
    /// own. 16 KiB where all peers are small devices.
    std::uint32_t notsent_lowat_bytes = 128U << 10U;
    /// From accept to a finished TLS handshake and request for a WebSocket, 100 ms .. 1 min.
    std::chrono::milliseconds handshake_timeout{5'000};
    /// Failed handshakes and unfinished CONNECTs per address and minute, 0 (no limit) .. 1,000,000;
    /// beyond it connections of that address are closed at once. Successful ones never count:
    /// schools sit behind one address. Eight connections of an https listener without a request
    /// count as one: browsers open some ahead.
    std::uint32_t failures_per_minute_max = 120;
    WsOptions ws;
};

/// How a TLS listener behaves; the certificates are in TlsMaterial.
struct TlsOptions {
    ClientCertificate client_certificate = ClientCertificate::required;
    /// A revoked or suspended certificate gets a TLS alert instead of CONNACK 5.
    bool strict_revocation = false;
    /// How long a session ticket is taken, 1 min .. 7 days.
    std::chrono::seconds ticket_lifetime{24 * 3600};
    /// Bytes of the client's certificate chain, 1 KiB .. 100 KiB.
    std::uint32_t chain_bytes_max = 16U << 10U;
    /// Its peers are browsers: agrees on http/1.1 (ALPN) instead of MQTT, and says whose client
    /// certificates fit.
    bool http = false;
};

/// One io thread's loop.
struct PollerOptions {
    /// Read per connection and turn, 1 KiB .. 64 KiB (Limits::turn_bytes_max).
    std::size_t turn_bytes_max = 64U << 10U;
    /// TLS handshakes may take this much of a turn, 100 us .. 100 ms; at least one step is made.
    std::chrono::microseconds handshake_budget{2'000};
    /// New connections taken per listener and turn, 1 .. 1024.
    unsigned accepts_per_turn = 64;
    /// How long a closed connection may take to swallow its last bytes, 10 ms .. 1 min.
    std::chrono::milliseconds linger_timeout{2'000};
    /// Closed connections that linger at once; beyond it they are cut, 0 .. 1,000,000.
    std::size_t lingering_max = 4'096;
};

}  // namespace iotsky::net
