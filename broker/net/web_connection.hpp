#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/clock.hpp"
#include "broker/net/byte_stash.hpp"
#include "broker/transport.hpp"

namespace iotsky::net {

class SocketTransport;
struct IoBuffers;

/// A connection of an https listener that asked for something else than MQTT: a stream of plain
/// bytes that never blocks, from the first byte of its request on. Moves to the thread that serves
/// it, and is confined to that from then on.
class WebConnection {
  public:
    explicit WebConnection(std::unique_ptr<SocketTransport> transport);
    ~WebConnection();
    WebConnection(const WebConnection&) = delete;
    WebConnection& operator=(const WebConnection&) = delete;

    /// Before the first call of what follows; `buffers` are those of the thread, and outlive this.
    void attach(IoBuffers& buffers);
    [[nodiscard]] const broker::PeerInfo& peer() const;
    /// When the first byte of its first request came.
    [[nodiscard]] TimePoint request_began() const noexcept;
    /// To wait on; nothing else may be done with it.
    [[nodiscard]] int fd() const noexcept;

    enum class State : std::uint8_t { ok, would_block, ended };
    struct Outcome {
        State state = State::would_block;
        std::size_t bytes = 0;
    };
    [[nodiscard]] Outcome read_some(std::span<std::byte> into);
    [[nodiscard]] Outcome write_some(std::span<const std::byte> bytes);
    /// Sends what write_some() took and the kernel did not; ok: nothing is left.
    [[nodiscard]] State flush();
    /// Whether read_some() may have bytes that the descriptor does not announce.
    [[nodiscard]] bool holds_input() const noexcept;
    /// close_notify and FIN; what the peer still sends can be read.
    void end_output();

  private:
    std::unique_ptr<SocketTransport> transport_;
    IoBuffers* buffers_ = nullptr;
    ByteStash rest_;  ///< plain bytes that the last reader had no room for
};

/// Takes a connection over. Thread: called on io threads; must not block.
using WebHandler = std::function<void(std::unique_ptr<WebConnection>)>;

}  // namespace iotsky::net
