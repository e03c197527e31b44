#include "broker/net/listener.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/assert.hpp"
#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "base/port_owner.hpp"
#include "broker/net/listener_shared.hpp"
#include "broker/net/peer_address.hpp"

namespace iotsky::net {
namespace {

constexpr int kFreePortTries = 16;

struct Target {
    ::sockaddr_storage address{};
    ::socklen_t length = 0;
};

struct BindText {
    std::string host;
    std::uint16_t port = 0;
};

Error bad_bind(const ListenerOptions& options, std::string why) {
    return make_error(Errc::invalid_argument, "E1121",
                      "bind = \"" + options.bind + "\" of listener " + options.name +
                          " is not an address and port.",
                      std::move(why),
                      "Write bind = \"[::]:8883\", \"0.0.0.0:8883\" or \"127.0.0.1:0\".");
}

Result<BindText> split_bind(const ListenerOptions& options) {
    const std::string& text = options.bind;
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) {
        return bad_bind(options, "There is no port after a colon.");
    }
    BindText out{text.substr(0, colon), 0};
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, out.port);
    if (parsed.ec != std::errc{} || parsed.ptr != end || colon + 1 == text.size()) {
        return bad_bind(options, "The port is not a number from 0 to 65535.");
    }
    if (out.host.starts_with('[') && out.host.ends_with(']')) {
        out.host = out.host.substr(1, out.host.size() - 2);
    } else if (out.host.find(':') != std::string::npos) {
        return bad_bind(options, "An IPv6 address stands in brackets.");
    }
    if (out.host.empty()) {
        return bad_bind(options, "There is no address before the port.");
    }
    return out;
}

Result<Target> resolve(const ListenerOptions& options, const BindText& text) {
    ::addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    ::addrinfo* found = nullptr;
    const int failed =
        ::getaddrinfo(text.host.c_str(), std::to_string(text.port).c_str(), &hints, &found);
    if (failed != 0) {
        return bad_bind(options, "\"" + text.host + "\" does not resolve: " + gai_strerror(failed));
    }
    Target target;
    std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
    target.length = found->ai_addrlen;
    ::freeaddrinfo(found);
    return target;
}

Target any_ipv4(std::uint16_t port) {
    ::sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_port = htons(port);
    Target target;
    std::memcpy(&target.address, &any, sizeof(any));
    target.length = sizeof(any);
    return target;
}

std::uint16_t port_of(const Target& target) {
    return describe(target.address).port;
}

bool set_option(const UniqueFd& fd, int level, int name, int value) {
    return ::setsockopt(fd.get(), level, name, &value, sizeof(value)) == 0;
}

/// A bound socket, or none with errno. `shared`: other sockets of ours may bind the same port.
UniqueFd bind_socket(const Target& target, bool shared) {
    UniqueFd fd{::socket(target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd) {
        return {};
    }
    const bool ready =
        set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
        (!shared || set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
        (target.address.ss_family != AF_INET6 || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) &&
        ::bind(fd.get(), reinterpret_cast<const ::sockaddr*>(&target.address), target.length) == 0;
    if (!ready) {
        const int error = errno;
        fd.reset();
        errno = error;
    }
    return fd;
}

Target bound_address(const UniqueFd& fd) {
    Target target;
    target.length = sizeof(target.address);
    ::getsockname(fd.get(), reinterpret_cast<::sockaddr*>(&target.address), &target.length);
    return target;
}

/// Options that accepted sockets inherit: no system call per connection.
bool prepare(const UniqueFd& fd, const ListenerOptions& options) {
    return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
           (options.notsent_lowat_bytes == 0 ||
            set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
                       static_cast<int>(options.notsent_lowat_bytes))) &&
           ::listen(fd.get(), options.backlog) == 0;
}

Error bind_error(const ListenerOptions& options, std::uint16_t port, int error) {
    switch (error) {
        case EADDRINUSE:
            return port_taken(port);
        case EADDRNOTAVAIL:
            return make_error(Errc::invalid_argument, "E1122",
                              "\"" + options.bind + "\" is not an address of this machine.",
                              "Listener " + options.name + " cannot be bound to it.",
                              "See the addresses with: ip address. [::] takes all of them.");
        case EACCES:
        case EPERM:
            return make_error(Errc::permission_denied, "E1123",
                              "Port " + std::to_string(port) + " needs a privilege.",
                              "Ports below 1024 are reserved for the administrator.",
                              "Use a port from 1024 on, or grant CAP_NET_BIND_SERVICE.");
        default:
            return make_error(Errc::io, "E1124", "Cannot listen on \"" + options.bind + "\".",
                              errno_text(error), "Check the network of this machine, then retry.");
    }
}

/// The address that is free for us: the probe's, with the port that it got.
Result<Target> probe(const ListenerOptions& options, Target target) {
    UniqueFd fd = bind_socket(target, false);
    const bool wildcard_v6 = options.bind.starts_with("[::]:");
    if (!fd && wildcard_v6 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
        log::info("", "no IPv6 here; listening on IPv4 only", {{"listener", options.name}});
        target = any_ipv4(port_of(target));
        fd = bind_socket(target, false);
    }
    if (!fd) {
        return bind_error(options, port_of(target), errno);
    }
    return bound_address(fd);
}

/// One listening socket per thread on `target`, or errno's error.
Result<std::vector<UniqueFd>> open_sockets(const ListenerOptions& options, const Target& target,
                                           unsigned threads) {
    std::vector<UniqueFd> sockets;
    for (unsigned i = 0; i < threads; ++i) {
        UniqueFd fd = bind_socket(target, true);
        if (!fd || !prepare(fd, options)) {
            return bind_error(options, port_of(target), errno);
        }
        sockets.push_back(std::move(fd));
    }
    return sockets;
}

}  // namespace

Listener::Listener(std::shared_ptr<ListenerShared> shared, std::vector<UniqueFd> sockets)
    : shared_(std::move(shared)), sockets_(std::move(sockets)) {
    const Endpoint local = describe(bound_address(sockets_.front()).address);
    host_ = local.address;
    port_ = local.port;
}

Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&&) noexcept = default;
Listener::~Listener() = default;

const ListenerOptions& Listener::options() const noexcept {
    return shared_->options;
}

Result<Listener> Listener::bind(const ListenerOptions& options, unsigned threads,
                                const Parts& parts) {
    IOTSKY_ASSERT(!has_tls(options.protocol) || parts.slot != nullptr);
    IOTSKY_ASSERT(options.protocol != Protocol::https || parts.web);
    IOTSKY_TRY(text, split_bind(options));
    IOTSKY_TRY(target, resolve(options, text));
    const bool any_port = text.port == 0;
    for (int attempt = 1;; ++attempt) {
        IOTSKY_TRY(address, probe(options, target));
        auto sockets = open_sockets(options, address, threads);
        if (sockets) {
            return Listener(
                std::make_shared<ListenerShared>(options, parts.slot, parts.doctor, parts.web),
                std::move(*sockets));
        }
        // Another program may take a free port between the probe and us: try the next one.
        if (!any_port || attempt == kFreePortTries) {
            return std::move(sockets).error();
        }
    }
}

}  // namespace iotsky::net
