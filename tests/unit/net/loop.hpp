#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "broker/net/poller.hpp"
#include "broker/net/tcp_transport.hpp"
#include "tests/unit/net/echo_sink.hpp"

namespace iotsky::net {

/// A Poller with its sink, turned by the test itself.
struct Loop {
    explicit Loop(const PollerOptions& options = {}) : poller(options, clock) {
        sink.host = &poller;
        poller.set_sink(sink);
    }
    /// Turns while `done` is false, at most a minute (sanitizers, busy machines); sleeps in between
    /// as an io thread would.
    [[nodiscard]] bool until(const std::function<bool()>& done) {
        const TimePoint end = clock.now() + std::chrono::seconds{60};
        while (!done()) {
            if (clock.now() > end) {
                return false;
            }
            if (!poller.has_work()) {
                ::pollfd wait{poller.epoll_fd(), POLLIN, 0};
                ::poll(&wait, 1, 2);
            }
            poller.turn();
        }
        return true;
    }
    void turns(int n) {
        for (int i = 0; i < n; ++i) {
            poller.turn();
        }
    }
    /// A plain connection over one end of a socket pair; returns the other end.
    UniqueFd connect(TimePoint accepted_at = {}) {
        auto [ours, theirs] = stream_pair();
        SocketTransport::Origin origin;
        origin.fd = std::move(ours);
        origin.accepted_at = accepted_at;
        poller.add(std::make_unique<TcpTransport>(std::move(origin)));
        return std::move(theirs);
    }
    std::pair<UniqueFd, UniqueFd> stream_pair() const {
        int fds[2];
        const int type = packets ? SOCK_SEQPACKET : SOCK_STREAM;
        REQUIRE(::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
        return {UniqueFd{fds[0]}, UniqueFd{fds[1]}};
    }

    bool packets = false;  ///< each send of ours is one recv of the peer
    SystemClock clock;
    EchoSink sink;  // outlived by the poller: its transports know it
    Poller poller;
};

/// What a peer does with its plain socket.
inline std::size_t write_some(const UniqueFd& fd, std::string_view bytes) {
    if (bytes.empty()) {
        return 0;  // in a socket of packets that would be the end
    }
    const ssize_t n = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
}
/// What is there now; sets `ended` at the end of the stream.
inline std::string read_some(const UniqueFd& fd, bool* ended = nullptr) {
    static thread_local std::array<char, 256U << 10U> buffer;
    const ssize_t n = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (ended != nullptr && n == 0) {
        *ended = true;
    }
    return {buffer.data(), n < 0 ? 0 : static_cast<std::size_t>(n)};
}

/// A client socket connected to 127.0.0.1:port.
inline UniqueFd connect_to(std::uint16_t port) {
    UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ::sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd.get(), reinterpret_cast<::sockaddr*>(&to), sizeof(to)) == 0);
    const int flags = ::fcntl(fd.get(), F_GETFL);
    REQUIRE(::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) == 0);
    return fd;
}

inline std::string pattern(std::size_t bytes) {
    std::string out(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) {
        out[i] = static_cast<char>((i * 131 + i / 251) & 0xff);
    }
    return out;
}

}  // namespace iotsky::net
