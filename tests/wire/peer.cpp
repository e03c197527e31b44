#include "tests/wire/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "base/errno_text.hpp"

namespace iotsky::wire {
namespace {

[[noreturn]] void refuse(const char* what) {
    throw std::runtime_error(std::string(what) + ": " + errno_text(errno));
}

template <typename T>
void set_option(int fd, int level, int name, const T& value) {
    if (::setsockopt(fd, level, name, &value, sizeof value) != 0) {
        refuse("setsockopt");
    }
}

}  // namespace

Peer::Peer(std::uint16_t port, std::chrono::milliseconds patience)
    : patience_(patience), buffer_(65'536) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0) {
        refuse("socket");
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd_);
        refuse("connect");
    }
    set_option(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
    const std::chrono::microseconds rest = patience - seconds;
    set_option(fd_, SOL_SOCKET, SO_SNDTIMEO, timeval{seconds.count(), rest.count()});
}

Peer::~Peer() {
    ::close(fd_);
}

void Peer::send(mqtt::Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) {
            return;  // closed by the broker: receive() says so
        }
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
}

void Peer::send_bytewise(mqtt::Bytes bytes) {
    for (; !bytes.empty(); bytes = bytes.subspan(1)) {
        send(bytes.first(1));
    }
}

bool Peer::wait_readable() {
    pollfd entry{fd_, POLLIN, 0};
    return ::poll(&entry, 1, static_cast<int>(patience_.count())) > 0;
}

Peer::Received Peer::receive() {
    using Kind = Received::Kind;
    for (;;) {
        const mqtt::FrameResult result = framer_.next(unread_);
        if (result.kind == mqtt::FrameResult::Kind::frame) {
            Received received{Kind::packet, {static_cast<std::byte>(result.frame.first_byte)}};
            received.packet.insert(received.packet.end(), result.frame.body.begin(),
                                   result.frame.body.end());
            return received;
        }
        if (result.kind == mqtt::FrameResult::Kind::error) {
            return {Kind::malformed, {}};
        }
        if (!wait_readable()) {
            return {Kind::nothing, {}};
        }
        const ssize_t got = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
        if (got <= 0) {
            return {Kind::closed, {}};  // an end or a reset: both are "closed" to MQTT
        }
        unread_ = mqtt::Bytes(buffer_).first(static_cast<std::size_t>(got));
    }
}

void Peer::reset_on_close() {
    set_option(fd_, SOL_SOCKET, SO_LINGER, linger{1, 0});
}

void Peer::finish() {
    ::shutdown(fd_, SHUT_WR);
    while (receive().kind == Received::Kind::packet) {
    }
}

}  // namespace iotsky::wire
