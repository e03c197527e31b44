#include "broker/net/socket_transport.hpp"

#include <sys/socket.h>

#include <utility>

#include "base/log.hpp"
#include "broker/net/listener_shared.hpp"
#include "broker/net/poller.hpp"
#include "broker/net/socket_io.hpp"

namespace iotsky::net {

SocketTransport::SocketTransport(Origin&& origin) noexcept
    : fd_(std::move(origin.fd)),
      peer_(std::move(origin.peer)),
      key_(origin.key),
      accepted_at_(origin.accepted_at),
      listener_(std::move(origin.listener)) {}

SocketTransport::~SocketTransport() {
    if (poller_ != nullptr) {
        poller_->forget(*this, false);  // closing the descriptor takes it out of epoll
    }
}

void SocketTransport::close() {
    if (std::exchange(closed_, true)) {
        return;
    }
    if (!peer_gone_) {
        say_goodbye();
    }
    if (poller_ == nullptr) {
        fd_.reset();
        return;
    }
    if (!wrote_ && listener_) {
        // Every whole CONNECT is answered, so this one never came to an end (`decisions.md` 18).
        poller_->counters().unfinished_connects.add();
        count_failure(poller_->buffers().now);
    }
    poller_->linger(*this);
}

void SocketTransport::end_output() {
    if (!peer_gone_ && kept_.empty()) {
        say_goodbye();
    }
    ::shutdown(fd(), SHUT_WR);
}

bool SocketTransport::send_kept() {
    if (kept_.empty()) {
        return true;
    }
    const IoResult sent = send(fd(), kept_.view());
    if (sent.state == IoResult::State::broken) {
        peer_gone_ = true;
        return false;
    }
    kept_.consume(sent.bytes);
    return true;
}

bool SocketTransport::send_or_keep(std::span<const std::byte> bytes) {
    IoResult sent{IoResult::State::would_block, 0};
    if (kept_.empty() && !bytes.empty()) {
        sent = send(fd(), bytes);
    }
    if (sent.state == IoResult::State::broken) {
        peer_gone_ = true;
        return false;
    }
    kept_.append(bytes.subspan(sent.bytes));
    return true;
}

bool SocketTransport::push(IoBuffers& buffers) {
    const bool alive = buffers.cipher_used == 0 || send_or_keep(buffers.sealed());
    buffers.cipher_used = 0;
    return alive;
}

void SocketTransport::tls_finished() {
    if (poller_ != nullptr) {
        poller_->count_handshake(*this);
    }
}

void SocketTransport::count_failure(TimePoint now, AddressLimiter::Kind kind) {
    if (listener_ && listener_->limiter.count(key_, kind, now)) {
        log::warn("W3412", "address failed too often; its connections are closed for a minute",
                  {{"addr", peer_.address}, {"listener", peer_.listener}});
    }
}

void SocketTransport::report_failure(HandshakeFailure failure, FailedIn where, TimePoint now,
                                     WallTime wall) {
    wrote_ = true;  // told and counted here, not as an unfinished CONNECT
    if (!listener_) {
        return;
    }
    count_failure(now);
    FaultCounts& counts =
        where == FailedIn::tls ? listener_->handshakes.failed : listener_->websockets.failed;
    add_one(counts[static_cast<std::size_t>(failure.fault)]);
    if (listener_->doctor) {
        failure.listener = peer_.listener;
        failure.address = peer_.address;
        failure.local_address = peer_.local_address;
        listener_->doctor->failed(failure, now, wall);
    }
}

IoBuffers* SocketTransport::buffers() const noexcept {
    return poller_ != nullptr ? &poller_->buffers() : lent_;
}

}  // namespace iotsky::net
