#pragma once

// Internal to broker/net.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/net/handshake_doctor.hpp"
#include "broker/net/options.hpp"

namespace iotsky::net {

/// Where the head of an HTTP request ends (behind its empty line); none: not yet. Thread: any
/// (pure).
[[nodiscard]] std::optional<std::size_t> http_head_bytes(std::span<const std::byte> in) noexcept;

/// Whether the first bytes of a request ask for MQTT.
enum class WsTarget : std::uint8_t { undecided, mqtt, other };
/// `in`: as far as it came. mqtt: GET of `path`. Thread: any (pure).
[[nodiscard]] WsTarget ws_target(std::span<const std::byte> in, std::string_view path) noexcept;

/// The answer to a request for a WebSocket.
struct WsAnswer {
    std::string text;  ///< the whole HTTP response
    /// Why there is no WebSocket; none: there is.
    std::optional<HandshakeFault> fault;
    std::string detail;  ///< the same in words, for log and peer
};

/// Judges a whole head against a listener: RFC 6455 section 4.2, one of our sub-protocols
/// [MQTT-6.0.0-3], [MQTT-6.0.0-4], no extension, and where the page that opens it comes from.
/// `tls`: whether it came over TLS. Thread: any (pure).
[[nodiscard]] WsAnswer answer_upgrade(std::string_view head, const WsOptions& options, bool tls);

/// The answer to a head that is longer than the listener takes.
[[nodiscard]] WsAnswer head_too_long(std::size_t bytes_max);

}  // namespace iotsky::net
