#include "broker/mqtt/framer.hpp"

#include <algorithm>

namespace iotsky::mqtt {
namespace {

/// A fixed header as far as it has arrived.
struct Header {
    enum class Kind : std::uint8_t { whole, need_more, too_long };
    Kind kind = Kind::need_more;
    std::uint8_t bytes = 0;  ///< Of the header itself, 2 to 5.
    std::uint32_t body_bytes = 0;
};

/// Section 2.2.3: seven bits a byte, lowest first, the eighth says that another byte follows.
Header read_header(Bytes in) noexcept {
    std::uint32_t value = 0;
    for (std::uint8_t i = 1; i < in.size() && i <= 4; ++i) {
        const auto byte = std::to_integer<std::uint32_t>(in[i]);
        value |= (byte & 0x7FU) << (7U * (i - 1U));
        if ((byte & 0x80U) == 0) {
            return {Header::Kind::whole, static_cast<std::uint8_t>(i + 1), value};
        }
    }
    return {in.size() >= 5 ? Header::Kind::too_long : Header::Kind::need_more, 0, 0};
}

/// Takes `n` bytes from the front of `in`.
Bytes take(Bytes& in, std::size_t n) noexcept {
    const Bytes taken = in.first(n);
    in = in.subspan(n);
    return taken;
}

}  // namespace

std::size_t Framer::partial_bytes() const noexcept {
    return state_ == State::handed_out || state_ == State::failed ? 0
                                                                  : header_bytes_ + body_.size();
}

FrameResult Framer::next(Bytes& in) {
    if (state_ == State::handed_out) {
        reset();
    }
    if (state_ == State::body) {
        return gather_body(in);
    }
    if (state_ == State::failed) {
        return fail(error_);
    }
    return header_bytes_ == 0 ? cut(in) : gather_header(in);
}

FrameResult Framer::cut(Bytes& in) {
    const Header header = read_header(in);
    if (header.kind != Header::Kind::whole || header.body_bytes > packet_bytes_max_ ||
        in.size() - header.bytes < header.body_bytes) {
        return gather_header(in);
    }
    const std::size_t total_bytes = header.bytes + std::size_t{header.body_bytes};
    const Bytes packet = take(in, total_bytes);
    return {FrameResult::Kind::frame,
            {},
            {std::to_integer<std::uint8_t>(packet[0]), packet.subspan(header.bytes), total_bytes}};
}

FrameResult Framer::gather_header(Bytes& in) {
    while (!in.empty()) {
        header_[header_bytes_] = take(in, 1).front();
        ++header_bytes_;
        const Header header = read_header(Bytes(header_).first(header_bytes_));
        if (header.kind == Header::Kind::too_long) {
            return fail(DecodeError::remaining_length_too_long);
        }
        if (header.kind == Header::Kind::whole) {
            return begin_body(in, header.body_bytes);
        }
    }
    return {};
}

FrameResult Framer::begin_body(Bytes& in, std::uint32_t body_bytes) {
    if (body_bytes > packet_bytes_max_) {
        return fail(DecodeError::packet_too_large);
    }
    body_bytes_ = body_bytes;
    if (in.size() >= body_bytes) {
        return hand_out(take(in, body_bytes));  // only the header was split: no copy either
    }
    state_ = State::body;
    return gather_body(in);
}

FrameResult Framer::gather_body(Bytes& in) {
    append(take(in, std::min<std::size_t>(in.size(), body_bytes_ - body_.size())));
    return body_.size() == body_bytes_ ? hand_out(body_) : FrameResult{};
}

FrameResult Framer::hand_out(Bytes body) noexcept {
    state_ = State::handed_out;
    return {FrameResult::Kind::frame,
            {},
            {std::to_integer<std::uint8_t>(header_[0]), body, header_bytes_ + body.size()}};
}

FrameResult Framer::fail(DecodeError error) noexcept {
    reset();
    state_ = State::failed;
    error_ = error;
    return {FrameResult::Kind::error, error, {}};
}

void Framer::append(Bytes bytes) {
    const std::size_t needed = body_.size() + bytes.size();
    if (needed > body_.capacity()) {
        // At most twice what has arrived, so that announcing much costs the announcer first.
        body_.reserve(std::min<std::size_t>(body_bytes_, std::max(needed, 2 * body_.capacity())));
    }
    body_.insert(body_.end(), bytes.begin(), bytes.end());
}

void Framer::reset() noexcept {
    std::vector<std::byte>().swap(body_);  // clear() would keep the heap of an idle connection
    header_bytes_ = 0;
    state_ = State::header;
}

}  // namespace iotsky::mqtt
