#pragma once

// Internal to broker/net.

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "broker/net/byte_stash.hpp"
#include "broker/net/io_buffers.hpp"

namespace iotsky::net {

/// A closed connection whose last bytes are on their way: sends what was kept, then FIN, then reads
/// and drops what the peer still sends until its FIN. Confined to its Poller's thread.
class Linger {
  public:
    Linger(UniqueFd fd, ByteStash&& rest, TimePoint deadline) noexcept;
    /// At the start and at every event. False: over, destroy it.
    [[nodiscard]] bool step(IoBuffers& buffers);
    [[nodiscard]] TimePoint deadline() const noexcept { return deadline_; }

  private:
    [[nodiscard]] bool send_rest();
    [[nodiscard]] bool drop_input(IoBuffers& buffers);

    UniqueFd fd_;
    ByteStash rest_;
    TimePoint deadline_;
    bool said_fin_ = false;
};

}  // namespace iotsky::net
