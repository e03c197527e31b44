#include "tests/system/crash/link.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace iotsky::crash {

bool Link::connect(std::uint16_t port) {
    close();
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(fd_);
        fd_ = -1;
        return false;
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    wire_ = client_.connect();
    return true;
}

void Link::receive() {
    std::array<std::byte, 65'536> bytes;
    while (true) {
        const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got > 0) {
            wire_->to_client.insert(wire_->to_client.end(), bytes.begin(), bytes.begin() + got);
        } else {
            wire_->broker_closed = got == 0 || (errno != EAGAIN && errno != EINTR);
            return;
        }
    }
}

void Link::send() {
    std::array<std::byte, 65'536> bytes;
    while (!wire_->to_broker.empty()) {
        const std::size_t size = std::min(bytes.size(), wire_->to_broker.size());
        std::copy_n(wire_->to_broker.begin(), size, bytes.begin());
        const ssize_t sent = ::send(fd_, bytes.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent <= 0) {
            return;  // full; or the next receive() says that it is over
        }
        wire_->to_broker.erase(wire_->to_broker.begin(), wire_->to_broker.begin() + sent);
    }
}

void Link::pump() {
    if (fd_ < 0) {
        return;
    }
    receive();
    (void)client_.step();
    if (!client_.connected()) {
        close();
        return;
    }
    send();
}

void Link::leave() {
    if (fd_ >= 0) {
        client_.disconnect_cleanly();
        send();
        close();
    }
}

void Link::close() {
    if (fd_ >= 0) {
        ::close(fd_);
        fd_ = -1;
        client_.lose_connection();
        wire_.reset();
    }
}

}  // namespace iotsky::crash
