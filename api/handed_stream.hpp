#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace iotsky::api {

/// A connection that somebody else accepted and hands over, as over TLS: a stream of plain bytes
/// that never blocks. Confined to control.
class HandedStream {
  public:
    enum class State : std::uint8_t { ok, would_block, ended };
    struct Outcome {
        State state = State::would_block;
        std::size_t bytes = 0;
    };

    virtual ~HandedStream() = default;
    /// To wait on; nothing else is done with it.
    [[nodiscard]] virtual int fd() const noexcept = 0;
    [[nodiscard]] virtual Outcome read_some(std::span<std::byte> into) = 0;
    [[nodiscard]] virtual Outcome write_some(std::span<const std::byte> bytes) = 0;
    /// Sends what write_some() took and the kernel did not; ok: nothing is left.
    [[nodiscard]] virtual State flush() = 0;
    /// Whether read_some() may have bytes that the descriptor does not announce.
    [[nodiscard]] virtual bool holds_input() const noexcept = 0;
    /// Ends our side; what the peer still sends can be read.
    virtual void end_output() = 0;
};

}  // namespace iotsky::api
