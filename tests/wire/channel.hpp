#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace iotsky::wire {

/// What the tables are spoken over.
enum class Transport : std::uint8_t { tcp, tls, ws, wss };
/// "tcp", "tls", "ws" or "wss"; nullopt for anything else.
[[nodiscard]] std::optional<Transport> parse_transport(std::string_view text) noexcept;

/// A connection to 127.0.0.1 as a byte stream: sockets and TLS of Asio, WebSocket of Beast.
/// Blocking, with deadlines. Takes any server certificate and shows none.
class Channel {
  public:
    virtual ~Channel() = default;
    /// As one piece: a segment, a record, a message. A connection that was closed meanwhile takes
    /// nothing and says nothing.
    virtual void write(std::span<const std::byte> bytes) = 0;

    enum class Got : std::uint8_t { bytes, closed, nothing };
    struct Read {
        Got got = Got::nothing;
        std::size_t bytes = 0;
    };
    /// `nothing`: none came in time. `into` must stay, and be the same, until bytes came.
    [[nodiscard]] virtual Read read(std::span<std::byte> into) = 0;
    /// Makes the end of this object a reset (RST).
    virtual void reset_on_close() = 0;
    /// Ends our half: FIN, behind close_notify or a Close frame.
    virtual void finish() = 0;
};

/// Throws std::runtime_error when nobody listens, or speaks something else.
[[nodiscard]] std::unique_ptr<Channel> connect(Transport transport, std::uint16_t port,
                                               std::chrono::milliseconds patience);

}  // namespace iotsky::wire
