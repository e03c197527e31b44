#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/mqtt/framer.hpp"
#include "tests/wire/channel.hpp"

namespace iotsky::wire {

/// A client on 127.0.0.1 that speaks in MQTT packets. Blocking, with deadlines.
class Peer {
  public:
    /// Throws std::runtime_error when nobody listens.
    Peer(Transport transport, std::uint16_t port, std::chrono::milliseconds patience);

    /// A connection that was closed meanwhile takes nothing and says nothing: what is expected next
    /// tells it.
    void send(mqtt::Bytes bytes);
    /// Every byte on its own, without Nagle's delay.
    void send_bytewise(mqtt::Bytes bytes);

    struct Received {
        enum class Kind : std::uint8_t { packet, closed, nothing, malformed };
        Kind kind = Kind::nothing;
        std::vector<std::byte> packet;  ///< The first byte, then the body.
    };
    /// The next packet; `nothing` when none came in time.
    [[nodiscard]] Received receive();

    /// Makes close() cut the connection (RST) instead of ending it (FIN).
    void reset_on_close();
    /// Ends our half, then waits for the other to end theirs.
    void finish();

  private:
    std::unique_ptr<Channel> channel_;
    mqtt::Framer framer_{mqtt::kRemainingLengthMax};
    std::vector<std::byte> buffer_;
    mqtt::Bytes unread_;
};

}  // namespace iotsky::wire
