#include "broker/net/socket_io.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace iotsky::net {
namespace {

IoResult failed() noexcept {
    const bool later = errno == EAGAIN || errno == EWOULDBLOCK;
    return {later ? IoResult::State::would_block : IoResult::State::broken, 0};
}

}  // namespace

IoResult receive(int fd, std::span<std::byte> into) noexcept {
    ssize_t n = 0;
    do {
        n = ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return failed();
    }
    return {n == 0 ? IoResult::State::end : IoResult::State::ok, static_cast<std::size_t>(n)};
}

IoResult send(int fd, std::span<const ::iovec> pieces) noexcept {
    ::msghdr message{};
    message.msg_iov = const_cast<::iovec*>(pieces.data());  // sendmsg only reads it
    message.msg_iovlen = pieces.size();
    ssize_t n = 0;
    do {
        n = ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return failed();
    }
    return {IoResult::State::ok, static_cast<std::size_t>(n)};
}

IoResult send(int fd, std::span<const std::byte> bytes) noexcept {
    const ::iovec piece{const_cast<std::byte*>(bytes.data()), bytes.size()};  // sendmsg only reads
    return send(fd, std::span{&piece, 1});
}

}  // namespace iotsky::net
