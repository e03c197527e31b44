#include "broker/net/tcp_transport.hpp"

#include <algorithm>
#include <array>

#include "broker/net/socket_io.hpp"
#include "broker/out_buffer.hpp"

namespace iotsky::net {

using broker::CloseReason;

// TCP is the ordered stream without loss [MQTT-7.1.1-1].
bool TcpTransport::write(broker::OutBuffer& out) {
    std::array<::iovec, 64> pieces;
    while (!out.empty()) {
        const std::size_t used = out.gather(pieces);
        std::size_t offered = 0;
        for (std::size_t i = 0; i < used; ++i) {
            offered += pieces[i].iov_len;
        }
        const IoResult sent = send(fd(), std::span{pieces}.first(used));
        if (sent.state != IoResult::State::ok) {
            return sent.state == IoResult::State::would_block;
        }
        wrote_ = true;
        out.consume(sent.bytes);
        if (sent.bytes < offered) {
            return true;  // the kernel is full; its next edge comes when it is not
        }
    }
    return true;
}

bool TcpTransport::stage(std::span<const std::byte> bytes) {
    IoBuffers* const shared = buffers();
    if (shared == nullptr) {
        return false;
    }
    std::ranges::copy(bytes, std::span{shared->cipher}.subspan(shared->cipher_used).begin());
    shared->cipher_used += bytes.size();
    return true;
}

ReadResult TcpTransport::read(IoBuffers& buffers, std::size_t bytes_max) {
    const std::span<std::byte> into = std::span{buffers.input}.first(bytes_max);
    const IoResult got = receive(fd(), into);
    switch (got.state) {
        case IoResult::State::ok:
            return {into.first(got.bytes), got.bytes == into.size(), CloseReason::none};
        case IoResult::State::would_block:
            return {};
        case IoResult::State::end:
        case IoResult::State::broken:
            break;
    }
    peer_gone_ = true;
    return {{}, false, CloseReason::peer_closed};
}

}  // namespace iotsky::net
