#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "broker/mqtt/decode_error.hpp"
#include "broker/mqtt/packet.hpp"

namespace iotsky::mqtt {

/// One whole Control Packet, not yet decoded. `body` is what the Remaining Length counts; it lies
/// in the bytes given to Framer::next or in the framer, and lives until the next call.
struct Frame {
    std::uint8_t first_byte = 0;
    Bytes body;
    std::size_t total_bytes = 0;  ///< With the fixed header, as it travelled.

    /// Of the upper four bits; may be 0 or 15, which decode() refuses.
    [[nodiscard]] PacketType type() const noexcept {
        return static_cast<PacketType>(first_byte >> 4U);
    }
    [[nodiscard]] std::uint8_t flags() const noexcept { return first_byte & 0x0FU; }
};

/// What Framer::next found.
struct FrameResult {
    enum class Kind : std::uint8_t { frame, need_more, error };
    Kind kind = Kind::need_more;
    DecodeError error{};  ///< Only with Kind::error; the connection is to be closed.
    Frame frame;          ///< Only with Kind::frame.
};

/// Cuts a byte stream into Control Packets (section 2.2), however it was split on the way.
///
/// A packet that lies whole in the bytes given is not copied. Otherwise its bytes gather in a
/// buffer that grows as they arrive, never by what the length announces, and that is freed at the
/// call after the packet was handed out: an idle framer owns no heap.
///
/// Thread: confined to its connection; may move with it. After an error it stays in error.
class Framer {
  public:
    /// `packet_bytes_max` bounds the Remaining Length: 1 to kRemainingLengthMax.
    explicit Framer(std::uint32_t packet_bytes_max) noexcept
        : packet_bytes_max_(packet_bytes_max) {}

    /// Takes one packet from the front of `in`, or all of `in` when no packet ends there. What is
    /// behind a packet stays in `in` for the next call. Cost: O(1) without a copy, else O(bytes
    /// taken).
    [[nodiscard]] FrameResult next(Bytes& in);

    /// Whether bytes of an unfinished packet are held.
    [[nodiscard]] bool partial() const noexcept { return partial_bytes() != 0; }
    /// How many, fixed header included.
    [[nodiscard]] std::size_t partial_bytes() const noexcept;
    /// Heap in use right now.
    [[nodiscard]] std::size_t heap_bytes() const noexcept { return body_.capacity(); }
    /// For packets whose length has not been read yet.
    void set_packet_bytes_max(std::uint32_t bytes) noexcept { packet_bytes_max_ = bytes; }

  private:
    enum class State : std::uint8_t { header, body, handed_out, failed };

    FrameResult cut(Bytes& in);
    FrameResult gather_header(Bytes& in);
    FrameResult begin_body(Bytes& in, std::uint32_t body_bytes);
    FrameResult gather_body(Bytes& in);
    FrameResult hand_out(Bytes body) noexcept;
    FrameResult fail(DecodeError error) noexcept;
    void reset() noexcept;
    void append(Bytes bytes);

    std::vector<std::byte> body_;
    std::uint32_t packet_bytes_max_;
    std::uint32_t body_bytes_ = 0;       ///< Announced; only in State::body.
    std::array<std::byte, 5> header_{};  ///< First byte and up to four of the length.
    std::uint8_t header_bytes_ = 0;
    State state_ = State::header;
    DecodeError error_{};
};

}  // namespace iotsky::mqtt
