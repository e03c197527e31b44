#pragma once

// Internal to broker/net.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "broker/net/byte_stash.hpp"

namespace iotsky::net {

/// What a client's frames may do wrong; each ends the connection.
enum class WsFault : std::uint8_t {
    none,
    text_frame,          ///< a data frame that is not binary [MQTT-6.0.0-1]
    not_masked,          ///< RFC 6455 5.1
    reserved_bits,       ///< set, although no extension was agreed on
    reserved_opcode,     ///< 3-7, 11-15
    length_not_minimal,  ///< a longer form than the length needs
    length_too_large,    ///< 2^63 or more
    control_fragmented,  ///< a control frame without FIN
    control_too_long,    ///< a control frame of more than 125 bytes
    nothing_to_continue,
    message_unfinished,  ///< a new message inside another one
    close_malformed,     ///< a Close frame of one byte, or with a status that nobody may send
};

/// For logs, e.g. "a frame is not masked".
[[nodiscard]] const char* text(WsFault fault) noexcept;

enum class WsOpcode : std::uint8_t {
    continuation = 0,
    text = 1,
    binary = 2,
    close = 8,
    ping = 9,
    pong = 10,
};

/// Status codes of Close frames that we send (RFC 6455 7.4.1).
inline constexpr std::uint16_t kWsNormal = 1000;
inline constexpr std::uint16_t kWsProtocolError = 1002;
inline constexpr std::uint16_t kWsUnsupportedData = 1003;

/// What some bytes of a client were.
struct WsInput {
    std::span<std::byte> data;  ///< payload for the MQTT framer, at the front of those bytes
    bool pinged = false;        ///< ping() is to be sent back
    bool ended = false;         ///< by a Close frame or a fault; what came behind it was not read
    std::uint16_t status = 0;   ///< when ended: what our Close frame says
    WsFault fault = WsFault::none;
};

/// The client's side of a WebSocket connection (RFC 6455 section 5): from frames to the byte stream
/// that they carry. Frames and messages are no boundaries of anything [MQTT-6.0.0-2], so payload is
/// passed on as it comes and an announced length costs nothing. No I/O. Confined to its
/// connection's thread; an idle one owns no heap.
class WsDecoder {
  public:
    /// Takes all of `in`, unmasking in place. Not to be called again once it said `ended`.
    [[nodiscard]] WsInput decode(std::span<std::byte> in);
    /// Payload of the latest Ping; a Pong for the latest of several is enough (RFC 6455 5.5.3).
    [[nodiscard]] std::span<const std::byte> ping() const noexcept { return ping_.view(); }
    /// Heap that an unfinished or unanswered control frame costs now: 250 bytes at most.
    [[nodiscard]] std::size_t heap_bytes() const noexcept {
        return control_.capacity() + ping_.capacity();
    }

  private:
    [[nodiscard]] std::size_t take_header(std::span<const std::byte> in, WsInput& out);
    [[nodiscard]] std::size_t header_bytes() const noexcept;
    [[nodiscard]] WsFault check_start() noexcept;
    [[nodiscard]] WsFault read_length() noexcept;
    void take_payload(std::span<std::byte> in, WsInput& out, std::byte* to);
    void unmask(std::span<const std::byte> in, std::byte* to) noexcept;
    void finish_frame(WsInput& out);
    void finish_close(WsInput& out);
    [[nodiscard]] bool is_control() const noexcept { return opcode_ >= WsOpcode::close; }

    std::uint64_t left_ = 0;                 ///< payload bytes of this frame still to come
    std::array<std::uint8_t, 14> header_{};  ///< of this frame, as far as it came
    std::uint8_t header_used_ = 0;
    std::uint8_t mask_at_ = 0;  ///< which of the mask's bytes is next
    WsOpcode opcode_ = WsOpcode::continuation;
    bool in_payload_ = false;
    bool in_message_ = false;  ///< between the first and the last frame of a message
    ByteStash control_;        ///< payload of a control frame, as far as it came
    ByteStash ping_;
};

/// Header of an unmasked, unfragmented frame.
struct WsHeader {
    std::array<std::byte, 4> bytes{};
    std::size_t size = 0;
    [[nodiscard]] std::span<const std::byte> view() const noexcept {
        return std::span{bytes}.first(size);
    }
};

/// Header of a frame of ours with `payload_bytes` (at most 65,535). Thread: any (pure).
[[nodiscard]] WsHeader ws_header(WsOpcode opcode, std::size_t payload_bytes) noexcept;

}  // namespace iotsky::net
