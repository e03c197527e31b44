#include "broker/net/web_connection.hpp"

#include <algorithm>
#include <utility>

#include "broker/net/socket_transport.hpp"

namespace iotsky::net {

WebConnection::WebConnection(std::unique_ptr<SocketTransport> transport)
    : transport_(std::move(transport)) {}
WebConnection::~WebConnection() = default;

void WebConnection::attach(IoBuffers& buffers) {
    buffers_ = &buffers;
    transport_->lend(buffers);
}

const broker::PeerInfo& WebConnection::peer() const {
    return transport_->peer();
}

TimePoint WebConnection::request_began() const noexcept {
    return transport_->request_began();
}

int WebConnection::fd() const noexcept {
    return transport_->fd();
}

bool WebConnection::holds_input() const noexcept {
    return !rest_.empty() || transport_->holds_input();
}

WebConnection::Outcome WebConnection::read_some(std::span<std::byte> into) {
    for (;;) {
        if (!rest_.empty()) {
            const std::size_t n = std::min(into.size(), rest_.view().size());
            std::ranges::copy(rest_.view().first(n), into.begin());
            rest_.consume(n);
            return {State::ok, n};
        }
        buffers_->now = TimePoint::clock::now();
        const ReadResult got = transport_->read(*buffers_, kRecordPlainBytes);
        rest_.append(got.bytes);
        if (rest_.empty() && got.ended != broker::CloseReason::none) {
            return {State::ended, 0};
        }
        // More of the peer's records without a byte of data: it may send 64 of them a minute.
        if (rest_.empty() && !got.more) {
            return {State::would_block, 0};
        }
    }
}

WebConnection::State WebConnection::flush() {
    if (!transport_->send_kept()) {
        return State::ended;
    }
    return transport_->kept().empty() ? State::ok : State::would_block;
}

WebConnection::Outcome WebConnection::write_some(std::span<const std::byte> bytes) {
    if (const State state = flush(); state != State::ok) {
        return {state, 0};
    }
    const auto piece = bytes.first(std::min(bytes.size(), kRecordPlainBytes));
    if (!transport_->send_plain(piece)) {
        return {State::ended, 0};
    }
    return {State::ok, piece.size()};
}

void WebConnection::end_output() {
    transport_->end_output();
}

}  // namespace iotsky::net
