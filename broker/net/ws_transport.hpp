#pragma once

// Internal to broker/net.

#include <cstdint>
#include <optional>
#include <string>

#include "broker/net/tcp_transport.hpp"
#include "broker/net/tls_transport.hpp"
#include "broker/net/ws_frames.hpp"

namespace iotsky::net {

struct WsAnswer;

/// MQTT over WebSocket on top of `Below` (TcpTransport or TlsTransport). The request for it is the
/// second half of the handshake; then a codec lies between `Below` and the MQTT framer. On an https
/// listener everything but a request for the listener's path is handed over: from then on it reads
/// and sends what came, as it is.
template <typename Below>
class WsTransport final : public Below {
  public:
    using Below::Below;

    [[nodiscard]] bool write(broker::OutBuffer& out) override;
    [[nodiscard]] ReadResult read(IoBuffers& buffers, std::size_t bytes_max) override;
    [[nodiscard]] bool holds_input() const noexcept override {
        return more_behind_ || !early_.empty() || Below::holds_input();
    }
    [[nodiscard]] bool handshakes() const noexcept override { return true; }
    [[nodiscard]] HandshakeStep handshake(IoBuffers& buffers) override;
    void tell_failure(bool timed_out, TimePoint now, WallTime wall) override;
    [[nodiscard]] bool send_kept() override;

  protected:
    void say_goodbye() override;

  private:
    enum class Phase : std::uint8_t { below, request, frames, http };

    [[nodiscard]] HandshakeStep read_request(IoBuffers& buffers);
    [[nodiscard]] HandshakeStep judge_request();
    [[nodiscard]] HandshakeStep answer(const WsAnswer& answer);
    [[nodiscard]] ReadResult read_below(IoBuffers& buffers, std::size_t bytes_max);
    [[nodiscard]] bool stage_frame(broker::OutBuffer& out, IoBuffers& buffers);
    [[nodiscard]] bool send_control(WsOpcode opcode, std::span<const std::byte> payload);
    [[nodiscard]] bool send_pong();
    [[nodiscard]] bool serves_http() const noexcept;
    void log_fault(WsFault fault) const;

    Phase phase_ = Phase::below;
    bool more_behind_ = false;  ///< the kernel may hold bytes behind the request without an edge
    bool pong_due_ = false;
    std::uint16_t status_ = kWsNormal;  ///< of our Close frame
    ByteStash early_;                   ///< the request, then what came behind it
    WsDecoder frames_;
    std::optional<HandshakeFault> fault_;  ///< of the request
    std::string detail_;
};

extern template class WsTransport<TcpTransport>;
extern template class WsTransport<TlsTransport>;

}  // namespace iotsky::net
