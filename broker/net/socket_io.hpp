#pragma once

// Internal to broker/net.

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace iotsky::net {

/// What one call of the kernel gave. `broken`: reset, or the peer stopped reading for good.
struct IoResult {
    enum class State : std::uint8_t { ok, would_block, end, broken };
    State state = State::ok;
    std::size_t bytes = 0;
};

/// One recv that does not block; `end` at the end of the stream.
[[nodiscard]] IoResult receive(int fd, std::span<std::byte> into) noexcept;
/// One sendmsg that neither blocks nor raises SIGPIPE.
[[nodiscard]] IoResult send(int fd, std::span<const ::iovec> pieces) noexcept;
[[nodiscard]] IoResult send(int fd, std::span<const std::byte> bytes) noexcept;

}  // namespace iotsky::net
