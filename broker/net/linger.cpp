#include "broker/net/linger.hpp"

#include <sys/socket.h>

#include <utility>

#include "broker/net/socket_io.hpp"

namespace iotsky::net {
namespace {
constexpr int kReadsPerStep = 4;  // a peer that floods a closed connection costs no more per event
}  // namespace

Linger::Linger(UniqueFd fd, ByteStash&& rest, TimePoint deadline) noexcept
    : fd_(std::move(fd)), rest_(std::move(rest)), deadline_(deadline) {}

bool Linger::step(IoBuffers& buffers) {
    if (!rest_.empty() && !send_rest()) {
        return false;
    }
    // Input first: most peers have said FIN by now, which saves the call for ours.
    if (!drop_input(buffers)) {
        return false;
    }
    if (rest_.empty() && !said_fin_) {
        said_fin_ = true;
        return ::shutdown(fd_.get(), SHUT_WR) == 0;
    }
    return true;
}

bool Linger::send_rest() {
    const IoResult sent = send(fd_.get(), rest_.view());
    if (sent.state == IoResult::State::broken) {
        return false;
    }
    rest_.consume(sent.bytes);
    return true;
}

bool Linger::drop_input(IoBuffers& buffers) {
    for (int i = 0; i < kReadsPerStep; ++i) {
        const IoResult got = receive(fd_.get(), buffers.input);
        if (got.state == IoResult::State::would_block) {
            return true;
        }
        if (got.state != IoResult::State::ok) {
            return got.state == IoResult::State::end && !rest_.empty();
        }
        if (got.bytes < buffers.input.size()) {
            return true;
        }
    }
    return !said_fin_;  // four full buffers after our FIN: this peer does not listen to it
}

}  // namespace iotsky::net
