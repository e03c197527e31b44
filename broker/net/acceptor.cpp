#include "broker/net/acceptor.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/log.hpp"
#include "broker/net/listener_shared.hpp"

namespace iotsky::net {
namespace {

UniqueFd open_reserve() noexcept {
    return UniqueFd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
}

bool out_of_descriptors(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

std::string local_address_of(int fd) {
    ::sockaddr_storage local{};
    ::socklen_t length = sizeof(local);
    if (::getsockname(fd, reinterpret_cast<::sockaddr*>(&local), &length) != 0) {
        return {};
    }
    return describe(local).address;
}

}  // namespace

Acceptor::Acceptor(UniqueFd listening, std::shared_ptr<ListenerShared> listener)
    : listening_(std::move(listening)), listener_(std::move(listener)), reserve_(open_reserve()) {}

std::unique_ptr<SocketTransport> Acceptor::next(TimePoint now, NetCounters& counters) {
    SocketTransport::Origin origin;
    Taken taken = Taken::refused;
    while (taken == Taken::refused) {
        taken = take(origin, now, counters);
    }
    if (taken == Taken::nothing) {
        return nullptr;
    }
    counters.accepted.add();
    origin.peer.listener = listener_->options.name;
    origin.peer.local_address = local_address_of(origin.fd.get());
    origin.accepted_at = now;
    origin.listener = listener_;
    return listener_->make_transport(std::move(origin));
}

Acceptor::Taken Acceptor::take(SocketTransport::Origin& origin, TimePoint now,
                               NetCounters& counters) {
    ::sockaddr_storage peer{};
    ::socklen_t length = sizeof(peer);
    UniqueFd fd{::accept4(listening_.get(), reinterpret_cast<::sockaddr*>(&peer), &length,
                          SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!fd) {
        if (out_of_descriptors(errno)) {
            return shed(now, counters) ? Taken::refused : Taken::nothing;
        }
        return errno == EAGAIN || errno == EINVAL || errno == EBADF ? Taken::nothing
                                                                    : Taken::refused;
    }
    Endpoint endpoint = describe(peer);
    if (!listener_->limiter.allows(endpoint.key, now)) {
        counters.refused_by_limit.add();
        return Taken::refused;
    }
    origin.fd = std::move(fd);
    origin.peer.address = std::move(endpoint.address);
    origin.peer.port = endpoint.port;
    origin.key = endpoint.key;
    return Taken::connection;
}

bool Acceptor::shed(TimePoint now, NetCounters& counters) {
    if (!reserve_) {
        reserve_ = open_reserve();  // perhaps one is free again
        return false;
    }
    reserve_.reset();
    UniqueFd unwanted{::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    const bool closed_one = static_cast<bool>(unwanted);
    unwanted.reset();
    reserve_ = open_reserve();
    if (closed_one) {
        counters.refused_descriptors.add();
    }
    if (now - told_ >= std::chrono::seconds{1}) {
        told_ = now;
        log::error("E3411", "no free file descriptor; new connections are closed",
                   {{"listener", listener_->options.name},
                    {"how", "raise LimitNOFILE (systemd) or ulimit -n"}});
    }
    return closed_one;
}

}  // namespace iotsky::net
