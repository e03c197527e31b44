#include "broker/net/ws_frames.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace iotsky::net {
namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kOpcode = 0x0f;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength = 0x7f;
constexpr std::uint8_t kTwoBytes = 126;
constexpr std::uint8_t kEightBytes = 127;
constexpr std::uint64_t kControlBytesMax = 125;
constexpr std::size_t kMaskBytes = 4;

/// What may stand in a Close frame (RFC 6455 7.4); 1004-1006 and 1015 are for programs, not for the
/// wire.
bool may_be_sent(unsigned status) noexcept {
    return (status >= 1000 && status <= 1003) || (status >= 1007 && status <= 1014) ||
           (status >= 3000 && status <= 4999);
}

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) noexcept {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) {
        value = value << 8U | byte;
    }
    return value;
}

template <typename T>
T load(const std::byte* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

void fail(WsInput& out, WsFault fault) noexcept {
    out.ended = true;
    out.fault = fault;
    out.status = fault == WsFault::text_frame ? kWsUnsupportedData : kWsProtocolError;
}

}  // namespace

const char* text(WsFault fault) noexcept {
    switch (fault) {
        case WsFault::none:
            break;
        case WsFault::text_frame:
            return "a WebSocket data frame is not binary";
        case WsFault::not_masked:
            return "a WebSocket frame is not masked";
        case WsFault::reserved_bits:
            return "reserved bits of a WebSocket frame are set";
        case WsFault::reserved_opcode:
            return "the opcode of a WebSocket frame is reserved";
        case WsFault::length_not_minimal:
            return "the length of a WebSocket frame is not in its shortest form";
        case WsFault::length_too_large:
            return "the length of a WebSocket frame has its highest bit set";
        case WsFault::control_fragmented:
            return "a WebSocket control frame is fragmented";
        case WsFault::control_too_long:
            return "a WebSocket control frame has more than 125 bytes";
        case WsFault::nothing_to_continue:
            return "a WebSocket continuation frame continues nothing";
        case WsFault::message_unfinished:
            return "a WebSocket message begins inside another one";
        case WsFault::close_malformed:
            return "a WebSocket Close frame is malformed";
    }
    return "";
}

WsInput WsDecoder::decode(std::span<std::byte> in) {
    WsInput out;
    out.data = in.first(0);
    std::size_t at = 0;
    while (at < in.size() && !out.ended) {
        if (!in_payload_) {
            at += take_header(in.subspan(at), out);
            continue;
        }
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - at));
        // Never ahead of what is still to be read: a frame's header lies between.
        std::byte* const to = in.data() + out.data.size();
        take_payload(in.subspan(at, n), out, to);
        at += n;
    }
    return out;
}

std::size_t WsDecoder::take_header(std::span<const std::byte> in, WsInput& out) {
    std::size_t taken = 0;
    for (const std::byte byte : in) {
        header_[header_used_++] = std::to_integer<std::uint8_t>(byte);
        ++taken;
        if (header_used_ == 2) {
            if (const WsFault fault = check_start(); fault != WsFault::none) {
                fail(out, fault);
                return taken;
            }
        }
        if (header_used_ >= 2 && header_used_ == header_bytes()) {
            if (const WsFault fault = read_length(); fault != WsFault::none) {
                fail(out, fault);
                return taken;
            }
            in_payload_ = true;
            mask_at_ = 0;
            if (left_ == 0) {
                finish_frame(out);
            }
            return taken;
        }
    }
    return taken;
}

std::size_t WsDecoder::header_bytes() const noexcept {
    const std::uint8_t length = header_[1] & kLength;
    const std::size_t extended = length == kTwoBytes ? 2 : length == kEightBytes ? 8 : 0;
    return 2 + extended + kMaskBytes;
}

WsFault WsDecoder::check_start() noexcept {
    const bool last = (header_[0] & kFin) != 0;
    opcode_ = WsOpcode{static_cast<std::uint8_t>(header_[0] & kOpcode)};
    if ((header_[0] & kReserved) != 0) {
        return WsFault::reserved_bits;
    }
    if ((header_[1] & kMasked) == 0) {
        return WsFault::not_masked;
    }
    switch (opcode_) {
        case WsOpcode::continuation:
            if (!in_message_) {
                return WsFault::nothing_to_continue;
            }
            in_message_ = !last;
            return WsFault::none;
        case WsOpcode::text:
            return WsFault::text_frame;  // [MQTT-6.0.0-1]
        case WsOpcode::binary:
            if (in_message_) {
                return WsFault::message_unfinished;
            }
            in_message_ = !last;
            return WsFault::none;
        case WsOpcode::close:
        case WsOpcode::ping:
        case WsOpcode::pong:
            if (!last) {
                return WsFault::control_fragmented;
            }
            return (header_[1] & kLength) > kControlBytesMax ? WsFault::control_too_long
                                                             : WsFault::none;
    }
    return WsFault::reserved_opcode;
}

WsFault WsDecoder::read_length() noexcept {
    const std::span<const std::uint8_t> all{header_};
    const std::uint8_t length = header_[1] & kLength;
    left_ = length;
    if (length == kTwoBytes) {
        left_ = big_endian(all.subspan(2, 2));
        return left_ < kTwoBytes ? WsFault::length_not_minimal : WsFault::none;
    }
    if (length == kEightBytes) {
        left_ = big_endian(all.subspan(2, 8));
        if (left_ >> 63U != 0) {
            return WsFault::length_too_large;
        }
        return left_ <= 0xffff ? WsFault::length_not_minimal : WsFault::none;
    }
    return WsFault::none;
}

void WsDecoder::take_payload(std::span<std::byte> in, WsInput& out, std::byte* to) {
    if (is_control()) {
        unmask(in, in.data());
        control_.append(in);
    } else {
        unmask(in, to);
        out.data = {out.data.data(), out.data.size() + in.size()};
    }
    left_ -= in.size();
    if (left_ == 0) {
        finish_frame(out);
    }
}

void WsDecoder::unmask(std::span<const std::byte> in, std::byte* to) noexcept {
    const std::span<const std::uint8_t> mask =
        std::span{header_}.subspan(header_used_ - kMaskBytes, kMaskBytes);
    std::array<std::byte, sizeof(std::uint64_t)> masks;
    for (std::size_t i = 0; i < masks.size(); ++i) {
        masks[i] = std::byte{mask[(mask_at_ + i) % kMaskBytes]};
    }
    std::size_t at = 0;
    for (; at + masks.size() <= in.size(); at += masks.size()) {
        const auto word = load<std::uint64_t>(&in[at]) ^ load<std::uint64_t>(masks.data());
        std::memcpy(to + at, &word, sizeof word);
    }
    for (; at < in.size(); ++at) {
        to[at] = in[at] ^ masks[at % masks.size()];
    }
    mask_at_ = static_cast<std::uint8_t>((mask_at_ + in.size()) % kMaskBytes);
}

void WsDecoder::finish_frame(WsInput& out) {
    in_payload_ = false;
    header_used_ = 0;
    if (opcode_ == WsOpcode::ping) {
        ping_ = std::move(control_);
        out.pinged = true;
    } else if (opcode_ == WsOpcode::close) {
        finish_close(out);
    }
    control_.clear();
}

void WsDecoder::finish_close(WsInput& out) {
    const std::span<const std::byte> body = control_.view();
    out.ended = true;
    out.status = kWsNormal;
    if (body.empty()) {
        return;
    }
    const unsigned status = body.size() < 2 ? 0
                                            : std::to_integer<unsigned>(body[0]) << 8U |
                                                  std::to_integer<unsigned>(body[1]);
    if (!may_be_sent(status)) {
        fail(out, WsFault::close_malformed);
        return;
    }
    out.status = static_cast<std::uint16_t>(status);
}

WsHeader ws_header(WsOpcode opcode, std::size_t payload_bytes) noexcept {
    IOTSKY_ASSERT(payload_bytes <= 0xffff);
    WsHeader header;
    header.bytes[0] = std::byte{static_cast<std::uint8_t>(kFin | static_cast<unsigned>(opcode))};
    if (payload_bytes < kTwoBytes) {
        header.bytes[1] = static_cast<std::byte>(payload_bytes);
        header.size = 2;
        return header;
    }
    header.bytes[1] = std::byte{kTwoBytes};
    header.bytes[2] = static_cast<std::byte>(payload_bytes >> 8U);
    header.bytes[3] = static_cast<std::byte>(payload_bytes & 0xff);
    header.size = 4;
    return header;
}

}  // namespace iotsky::net
