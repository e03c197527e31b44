#include "bench/load/connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace iotsky::load {
namespace {

constexpr std::size_t kReadBytes = 64UL * 1024;
constexpr std::ptrdiff_t kLater = -1;

[[noreturn]] void fail(const char* what, int error) {
    throw std::runtime_error(std::string{what} + ": " +
                             std::error_code{error, std::system_category()}.message());
}

int open_socket(const Options& options) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    if (::inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) != 1) {
        throw std::runtime_error("--host is not an IPv4 address: " + options.host);
    }
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        fail("socket", errno);
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
        errno != EINPROGRESS) {
        const int error = errno;
        ::close(fd);
        fail("connect", error);
    }
    return fd;
}

}  // namespace

Connection::Connection(const Options& options, SSL_CTX* context, SSL_SESSION* session)
    : fd_(open_socket(options)) {
    if (context == nullptr) {
        return;
    }
    ssl_.reset(SSL_new(context));
    if (!ssl_ || SSL_set_fd(ssl_.get(), fd_) != 1) {
        throw std::runtime_error("out of memory for TLS");
    }
    if (session != nullptr) {
        SSL_set_session(ssl_.get(), session);
    }
}

Connection::~Connection() {
    ::close(fd_);
}

bool Connection::wait_on(int result) {
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        wants_write_ = error == SSL_ERROR_WANT_WRITE;
        return true;
    }
    char text[256];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    throw std::runtime_error(std::string{"TLS: "} + text);
}

bool Connection::advance() {
    if (state_ == State::connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) {
            fail("connect", error);
        }
        state_ = ssl_ ? State::handshake : State::open;
        wants_write_ = false;
    }
    if (state_ == State::handshake) {
        ERR_clear_error();
        const int result = SSL_connect(ssl_.get());
        if (result != 1) {
            return !wait_on(result);
        }
        state_ = State::open;
        wants_write_ = false;
    }
    return true;
}

void Connection::on_ready() {
    if (advance()) {
        flush();
        read_all();
    }
}

std::ptrdiff_t Connection::read_some(std::span<std::uint8_t> room) {
    if (ssl_) {
        ERR_clear_error();
        const int count = SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
        if (count > 0) {
            return count;
        }
        const bool before = wants_write_;
        (void)wait_on(count);
        wants_write_ = before;  // reading waits for reading; what is to be written still is
        return kLater;
    }
    const ssize_t count = ::recv(fd_, room.data(), room.size(), 0);
    if (count == 0) {
        throw std::runtime_error("the broker closed a connection");
    }
    if (count < 0 && errno != EAGAIN) {
        fail("recv", errno);
    }
    return count < 0 ? kLater : count;
}

void Connection::read_all() {
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
    for (std::size_t total = 0; total < 4 * kReadBytes;) {
        const std::size_t have = in_.size();
        in_.resize(have + kReadBytes);
        std::ptrdiff_t count = kLater;
        try {
            count = read_some(std::span{in_}.subspan(have));
        } catch (...) {
            in_.resize(have);
            throw;
        }
        in_.resize(have + static_cast<std::size_t>(count == kLater ? 0 : count));
        if (count == kLater) {
            return;
        }
        total += static_cast<std::size_t>(count);
        // A short read of plain TCP has emptied the socket; TLS may hold another record.
        if (!ssl_ && static_cast<std::size_t>(count) < kReadBytes) {
            return;
        }
    }
}

std::ptrdiff_t Connection::write_some(std::span<const std::uint8_t> bytes) {
    if (ssl_) {
        ERR_clear_error();
        const int count = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
        if (count > 0) {
            return count;
        }
        (void)wait_on(count);
        return kLater;
    }
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) {
        fail("send", errno);
    }
    return count < 0 ? kLater : count;
}

void Connection::flush() {
    if (state_ != State::open) {
        return;
    }
    while (sent_ < out_.size()) {
        const std::ptrdiff_t count = write_some(std::span{out_}.subspan(sent_));
        if (count == kLater) {
            wants_write_ = true;
            return;
        }
        sent_ += static_cast<std::size_t>(count);
    }
    out_.clear();
    sent_ = 0;
    wants_write_ = false;
}

std::optional<Packet> Connection::next_packet() {
    const auto packet = front_packet(std::span<const std::uint8_t>{in_}.subspan(taken_));
    if (packet) {
        taken_ += packet->size;
    }
    return packet;
}

}  // namespace iotsky::load
