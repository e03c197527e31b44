#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/ids.hpp"

namespace iotsky::broker {

class OutBuffer;

/// What is known of the other end before its first MQTT byte. Filled by the transport adapter.
struct PeerInfo {
    std::string listener;  ///< name of the [listener.NAME] table
    std::string address;   ///< textual address of the peer, without port
    std::uint16_t port = 0;
    std::string local_address;  ///< the address of ours that it reached
    bool tls = false;
    std::string tls_version;  ///< "TLSv1.3"; empty without TLS
    bool resumed = false;     ///< a TLS session was resumed: the chain was not verified again
    std::string server_name;  ///< SNI; empty if none was sent
    std::string alpn;         ///< negotiated protocol; empty if none
    std::shared_ptr<const std::string> certificate_der;  ///< the client's leaf; null: it sent none
    /// Whether the chain of `certificate_der` verified against our device CAs, or was known by
    /// fingerprint.
    bool chain_verified = false;
};

enum class CloseReason : std::uint8_t {
    none,
    client_disconnect,   ///< DISCONNECT [MQTT-3.14.4-1]
    peer_closed,         ///< end of stream or reset
    protocol_error,      ///< section 4.8
    connect_refused,     ///< CONNACK with a code other than 0 was sent
    connect_timeout,     ///< no whole CONNECT in time
    packet_timeout,      ///< a packet begun was not finished in time
    keep_alive_timeout,  ///< 1.5 times Keep Alive without a packet [MQTT-3.1.2-24]
    taken_over,          ///< another CONNECT with the same Client Identifier [MQTT-3.1.4-2]
    second_connect,      ///< [MQTT-3.1.0-2]
    stuck_reader,        ///< the peer took no byte for too long
    kicked,              ///< an administrator
    rights_revoked,      ///< certificate revoked, or iot:Connect no longer allowed; no will is sent
    denied_publish,      ///< `on_denied_publish = "disconnect"`
    receiver_full,       ///< `queue_full = "refuse"`: a receiver's queue is full
    service_timeout,     ///< a service did not answer in time: nothing is acknowledged
    shutting_down,
    overload,
    internal_error,
};

/// The word that logs, metrics and `connections` show, e.g. "keep_alive_timeout".
[[nodiscard]] const char* to_string(CloseReason reason) noexcept;

/// One Network Connection as the data plane sees it: a thing that takes bytes and can be closed.
/// Implemented by broker/net (sockets, TLS) and by tests/simulation. Confined to the thread that
/// holds the connection; moves whole between threads (adoption, `dataplane.md` 1).
class Transport {
  public:
    virtual ~Transport() = default;
    /// Sends from the front of `out` what the peer takes now and consumes it. Never blocks. False:
    /// broken.
    [[nodiscard]] virtual bool write(OutBuffer& out) = 0;
    /// What the adapter knew when the connection was opened; does not change.
    [[nodiscard]] virtual const PeerInfo& peer() const = 0;
    /// Ends the connection after what was handed to write() (TLS: close_notify). Idempotent. Comes
    /// before TransportHost::detach(): the loop then sends what the kernel did not take yet.
    virtual void close() = 0;
};

/// The loop that reads the transports of one thread: broker/net's Poller, or the simulation.
class TransportHost {
  public:
    virtual ~TransportHost() = default;
    /// From now on deliver this transport's bytes to Shard::on_bytes(conn, ...). Bytes may wait
    /// inside it already, so it goes on the ready list at once.
    virtual void attach(Transport& transport, ConnRef conn) = 0;
    /// Stop delivering; the transport is about to move to another thread or to be destroyed.
    virtual void detach(Transport& transport) = 0;
    /// The connection may be read again (Shard::reading_paused turned false): put it on the ready
    /// list.
    virtual void resume(Transport& transport) = 0;
};

}  // namespace iotsky::broker
