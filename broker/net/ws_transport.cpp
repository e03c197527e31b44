#include "broker/net/ws_transport.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"
#include "broker/net/listener_shared.hpp"
#include "broker/net/tls_records.hpp"
#include "broker/net/ws_upgrade.hpp"
#include "broker/out_buffer.hpp"

namespace iotsky::net {
namespace {

using broker::CloseReason;

constexpr std::size_t kHeaderBytesMax = 4;
constexpr std::size_t kControlBytesMax = 125;

}  // namespace

template <typename Below>
bool WsTransport<Below>::serves_http() const noexcept {
    return this->listener() && this->listener()->options.protocol == Protocol::https;
}

template <typename Below>
HandshakeStep WsTransport<Below>::handshake(IoBuffers& buffers) {
    if (phase_ == Phase::below && Below::handshakes()) {
        const HandshakeStep step = Below::handshake(buffers);
        if (step != HandshakeStep::done) {
            return step;
        }
    }
    phase_ = Phase::request;
    return read_request(buffers);
}

template <typename Below>
HandshakeStep WsTransport<Below>::read_request(IoBuffers& buffers) {
    const ReadResult got = Below::read(buffers, kRecordPlainBytes);
    if (early_.empty()) {
        this->request_began_ = buffers.now;
    }
    early_.append(got.bytes);
    more_behind_ = got.more;
    const HandshakeStep step = early_.empty() ? HandshakeStep::waiting : judge_request();
    if (step != HandshakeStep::waiting) {
        return step;
    }
    if (got.ended != CloseReason::none) {
        fault_ = HandshakeFault::left_early;
        return HandshakeStep::failed;
    }
    return got.more ? HandshakeStep::more : HandshakeStep::waiting;
}

template <typename Below>
HandshakeStep WsTransport<Below>::judge_request() {
    const std::span<const std::byte> in = early_.view();
    const WsOptions& options = this->listener()->options.ws;
    if (serves_http()) {
        const WsTarget target = ws_target(in, options.path);
        if (target == WsTarget::other) {
            phase_ = Phase::http;
            return HandshakeStep::hand_over;
        }
        if (target == WsTarget::undecided) {
            return HandshakeStep::waiting;
        }
    } else if (classify_first_bytes(in) != FirstBytes::http) {
        return answer(answer_upgrade({}, options, this->peer_.tls));
    }
    const auto head = http_head_bytes(in);
    if (head.value_or(in.size()) > options.head_bytes_max) {
        return answer(head_too_long(options.head_bytes_max));
    }
    if (!head) {
        return HandshakeStep::waiting;
    }
    const WsAnswer judged = answer_upgrade(as_text(in.first(*head)), options, this->peer_.tls);
    early_.consume(*head);
    return answer(judged);
}

template <typename Below>
HandshakeStep WsTransport<Below>::answer(const WsAnswer& answer) {
    fault_ = answer.fault;
    detail_ = answer.detail;
    if (!this->send_plain(as_bytes(answer.text)) && !fault_) {
        fault_ = HandshakeFault::left_early;
    }
    if (fault_) {
        return HandshakeStep::failed;
    }
    phase_ = Phase::frames;
    if (const auto& listener = this->listener()) {
        add_one(listener->websockets.opened);
    }
    return HandshakeStep::done;
}

template <typename Below>
void WsTransport<Below>::tell_failure(bool timed_out, TimePoint now, WallTime wall) {
    if (phase_ == Phase::below) {
        Below::tell_failure(timed_out, now, wall);
        return;
    }
    if (serves_http() && early_.empty() && (timed_out || fault_ == HandshakeFault::left_early)) {
        this->wrote_ = true;  // counted here, not as an unfinished CONNECT
        this->count_failure(now, AddressLimiter::Kind::unused);
        return;
    }
    HandshakeFailure failure;
    failure.fault = timed_out ? HandshakeFault::timed_out : fault_.value_or(HandshakeFault::broken);
    failure.server_name = this->peer_.server_name;
    failure.detail = detail_;
    this->report_failure(std::move(failure), SocketTransport::FailedIn::request, now, wall);
}

template <typename Below>
ReadResult WsTransport<Below>::read_below(IoBuffers& buffers, std::size_t bytes_max) {
    if (early_.empty()) {
        more_behind_ = false;
        return Below::read(buffers, bytes_max);
    }
    const std::size_t n = early_.view().size();
    std::ranges::copy(early_.view(), buffers.plain.begin());
    early_.clear();
    return {std::span{buffers.plain}.first(n), true, CloseReason::none};
}

template <typename Below>
ReadResult WsTransport<Below>::read(IoBuffers& buffers, std::size_t bytes_max) {
    const ReadResult raw = read_below(buffers, bytes_max);
    if (phase_ == Phase::http) {
        return raw;
    }
    const WsInput input = frames_.decode(raw.bytes);
    if (input.ended) {
        status_ = input.status;
        if (input.fault != WsFault::none) {
            log_fault(input.fault);
        }
        // A Close frame is an end like any other: it is no DISCONNECT [MQTT-3.1.2-8].
        return {
            input.data, false,
            input.fault == WsFault::none ? CloseReason::peer_closed : CloseReason::protocol_error};
    }
    pong_due_ |= input.pinged;
    const bool alive = raw.ended != CloseReason::none || send_pong();
    return {input.data, raw.more, alive ? raw.ended : CloseReason::peer_closed};
}

template <typename Below>
void WsTransport<Below>::log_fault(WsFault fault) const {
    log::info("E3567", "protocol error",
              {{"addr", this->peer_.address},
               {"listener", this->peer_.listener},
               {"reason", text(fault)},
               {"rule", fault == WsFault::text_frame ? "MQTT-6.0.0-1" : "RFC 6455 section 5"}});
}

template <typename Below>
bool WsTransport<Below>::write(broker::OutBuffer& out) {
    if (!send_kept()) {
        return false;
    }
    this->wrote_ |= !out.empty();
    IoBuffers* const shared = this->buffers();
    IOTSKY_ASSERT(shared != nullptr);  // nothing is written between two threads
    bool alive = true;
    while (alive && this->kept_.empty() && !out.empty()) {
        while (alive && !out.empty() && shared->cipher_room() >= IoBuffers::kRecordBytesMax) {
            alive = stage_frame(out, *shared);
        }
        alive = this->push(*shared) && alive;
    }
    return alive;
}

/// As much of `out` as fits into one record of TLS, whole packets or not [MQTT-6.0.0-2].
template <typename Below>
bool WsTransport<Below>::stage_frame(broker::OutBuffer& out, IoBuffers& buffers) {
    std::span<std::byte> frame{buffers.record};
    const std::span<std::byte> room = frame.subspan(kHeaderBytesMax);
    std::array<::iovec, 16> pieces;
    const std::size_t used = out.gather(pieces);
    std::size_t length = 0;
    for (std::size_t i = 0; i < used && length < room.size(); ++i) {
        const std::size_t n = std::min(pieces[i].iov_len, room.size() - length);
        std::memcpy(room.data() + length, pieces[i].iov_base, n);
        length += n;
    }
    const WsHeader header = ws_header(WsOpcode::binary, length);  // [MQTT-6.0.0-1]
    frame = frame.subspan(kHeaderBytesMax - header.size, header.size + length);
    std::ranges::copy(header.view(), frame.begin());
    out.consume(length);
    return this->stage(frame);
}

template <typename Below>
bool WsTransport<Below>::send_control(WsOpcode opcode, std::span<const std::byte> payload) {
    std::array<std::byte, kHeaderBytesMax + kControlBytesMax> frame{};
    const WsHeader header = ws_header(opcode, payload.size());
    const auto end = std::ranges::copy(header.view(), frame.begin()).out;
    std::ranges::copy(payload, end);
    return this->send_plain(std::span{frame}.first(header.size + payload.size()));
}

/// At most one waits, whatever the peer sends: for a peer that takes nothing it costs nothing more.
template <typename Below>
bool WsTransport<Below>::send_pong() {
    if (!pong_due_ || !this->kept_.empty()) {
        return true;
    }
    pong_due_ = false;
    return send_control(WsOpcode::pong, frames_.ping());
}

template <typename Below>
bool WsTransport<Below>::send_kept() {
    return Below::send_kept() && send_pong();
}

template <typename Below>
void WsTransport<Below>::say_goodbye() {
    if (phase_ == Phase::frames) {
        const std::array<std::byte, 2> status{std::byte{static_cast<std::uint8_t>(status_ >> 8U)},
                                              std::byte{static_cast<std::uint8_t>(status_)}};
        static_cast<void>(send_control(WsOpcode::close, status));
    }
    Below::say_goodbye();
}

template class WsTransport<TcpTransport>;
template class WsTransport<TlsTransport>;

}  // namespace iotsky::net
