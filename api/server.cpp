#include "api/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "api/error_map.hpp"
#include "api/errors.hpp"
#include "api/server_core.hpp"
#include "api/session.hpp"
#include "api/stream_socket.hpp"
#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "base/port_owner.hpp"

namespace iotsky::api {
namespace {

using asio::ip::tcp;
using Unix = asio::local::stream_protocol;

/// After a failed accept (no descriptors left), so that the loop does not spin.
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::size_t kUnixPathBytesMax = 107;

Error not_loopback(const ListenerOptions& listener) {
    return make_error(
        Errc::invalid_argument, "E4123",
        "listener." + listener.name + " would serve HTTP on " + listener.host + " in the clear.",
        "Whoever listens on the network would read the admin token.",
        "Bind it to 127.0.0.1 or [::1], and reach it from elsewhere through ssh -L " +
            std::to_string(listener.port) + ":127.0.0.1:" + std::to_string(listener.port) + ".");
}

Error cannot_listen(const ListenerOptions& listener, const std::string& address,
                    const boost::system::error_code& error) {
    if (error == asio::error::address_in_use && listener.protocol == ListenerProtocol::http) {
        return port_taken(listener.port);
    }
    if (error == asio::error::address_in_use) {
        return make_error(Errc::conflict, "E1101", address + " is already used.",
                          "Two programs cannot share it.",
                          "Stop the other one (ss -lxp shows it), or change the path of listener." +
                              listener.name + ".");
    }
    return make_error(Errc::io, "E1107",
                      "listener." + listener.name + " cannot listen on " + address + ".",
                      error.message() + ".", "Change its bind in the configuration.");
}

Error bad_path(const ListenerOptions& listener, std::string why) {
    return make_error(
        Errc::invalid_argument, "E1107",
        "listener." + listener.name + " cannot use the socket " + listener.path.string() + ".",
        std::move(why), "Give listener." + listener.name + " another path.");
}

/// Takes away the socket of a daemon that is gone; one that answers, or another kind of file, is an
/// error.
Result<void> clear_path(asio::io_context& io, const ListenerOptions& listener) {
    const std::string path = listener.path.string();
    if (path.empty() || path.size() > kUnixPathBytesMax) {
        return bad_path(listener, "A socket's path has 1 to 107 bytes.");
    }
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        return {};
    }
    if (!S_ISSOCK(status.st_mode)) {
        return bad_path(listener, "There is a file that is no socket.");
    }
    Unix::socket probe{io};
    boost::system::error_code error;
    probe.connect(Unix::endpoint{path}, error);
    if (!error) {
        return cannot_listen(listener, path, asio::error::address_in_use);
    }
    ::unlink(path.c_str());
    return {};
}

/// Between bind and listen, when nobody can connect yet.
void restrict_socket(const std::string& path, const TrustedAccounts& trusted) {
    if (trusted.has_group &&
        ::chown(path.c_str(), static_cast<uid_t>(-1), trusted.group_gid) != 0) {
        log::warn("", "the group may not use the admin socket",
                  {{"path", path}, {"why", errno_text(errno)}});
    }
    if (::chmod(path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0) {
        log::warn("", "the admin socket keeps its mode", {{"path", path}});
    }
}

Peer peer_of(const tcp::socket& socket, const TrustedAccounts& /*trusted*/) {
    Peer peer;
    boost::system::error_code error;
    const auto remote = socket.remote_endpoint(error);
    if (!error) {
        peer.address = remote.address().to_string() + ":" + std::to_string(remote.port());
        peer.local = remote.address().is_loopback();
    }
    return peer;
}

Peer peer_of(const HandedConnection& connection) {
    Peer peer;
    peer.address = connection.address + ":" + std::to_string(connection.port);
    peer.own_address = connection.own_address;
    peer.tls = true;
    boost::system::error_code error;
    const auto address = asio::ip::make_address(connection.address, error);
    peer.local = !error && address.is_loopback();
    return peer;
}

Peer peer_of(Unix::socket& socket, const TrustedAccounts& trusted) {
    Peer peer;
    peer.unix_socket = true;
    peer.local = true;
    peer.address = "unix";
    if (const auto credentials = peer_credentials(socket.native_handle())) {
        peer.address = "unix:uid=" + std::to_string(credentials->uid);
        peer.trusted = is_trusted(*credentials, trusted);
        peer.account = account_name(credentials->uid);
    }
    return peer;
}

void set_no_delay(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);
}

void set_no_delay(Unix::socket& /*socket*/) {}

http::response<http::string_body> turned_away(std::size_t connections_max) {
    Request nobody;
    Response answer = problem(too_many_connections(connections_max), nobody);
    return render(answer, nobody, false);
}

/// Best effort: one write into an empty socket buffer, then closed.
template <typename Socket>
void turn_away(Socket socket, std::size_t connections_max) {
    const auto message = turned_away(connections_max);
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    http::write(socket, message, ignored);
    socket.shutdown(Socket::shutdown_send, ignored);
}

void turn_away(HandedStream& stream, std::size_t connections_max) {
    std::ostringstream text;
    text << turned_away(connections_max);
    static_cast<void>(stream.write_some(std::as_bytes(std::span{text.view()})));
    stream.end_output();
}

/// Serves one connection; `open` counts those of its listener, `began`: see HandedConnection.
template <typename Socket>
void serve(asio::any_io_executor executor, Socket socket, Peer peer,
           const std::shared_ptr<std::size_t>& open, const std::shared_ptr<ServerCore>& core,
           std::optional<TimePoint> began = {}) {
    auto session =
        std::make_shared<Session<Socket>>(std::move(socket), std::move(peer), core, began);
    ++*open;
    asio::co_spawn(executor, Session<Socket>::run(std::move(session)),
                   [open](const std::exception_ptr& /*never: errors come as values*/) { --*open; });
}

/// Accepts until the acceptor is closed. `open` counts this listener's connections.
template <typename Protocol>
asio::awaitable<void> accept_loop(std::shared_ptr<asio::basic_socket_acceptor<Protocol>> acceptor,
                                  std::shared_ptr<ServerCore> core) {
    auto open = std::make_shared<std::size_t>(0);
    asio::steady_timer pause{acceptor->get_executor()};
    while (acceptor->is_open()) {
        auto [error, socket] = co_await acceptor->async_accept(asio::as_tuple(asio::use_awaitable));
        if (error == asio::error::operation_aborted) {
            co_return;
        }
        if (error) {
            pause.expires_after(kAcceptPause);
            co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
            continue;
        }
        if (*open >= core->options.connections_max) {
            turn_away(std::move(socket), core->options.connections_max);
            continue;
        }
        set_no_delay(socket);
        Peer peer = peer_of(socket, core->trusted);
        serve(acceptor->get_executor(), std::move(socket), std::move(peer), open, core);
    }
}

}  // namespace

ServerCore::ServerCore(asio::io_context& control, ServerOptions opts, ServerParts parts)
    : options(std::move(opts)),
      dispatcher(parts.table, parts.services, std::move(parts.token_lookup), parts.guard,
                 {options.host_names, options.json_bytes_max, options.csv_bytes_max}),
      stats(parts.stats),
      trusted(trusted_accounts(options.unix_group)),
      control_(control),
      pool_(options.work_threads) {}

Result<std::vector<BoundListener>> ServerCore::start() {
    std::vector<BoundListener> bound;
    for (const ListenerOptions& listener : options.listeners) {
        auto one = open(listener);
        if (!one) {
            stop();
            return std::move(one).error();
        }
        bound.push_back(std::move(*one));
    }
    return bound;
}

Result<BoundListener> ServerCore::open(const ListenerOptions& listener) {
    return listener.protocol == ListenerProtocol::unix_socket ? open_unix(listener)
                                                              : open_tcp(listener);
}

template <typename Protocol>
void ServerCore::listen(asio::basic_socket_acceptor<Protocol> acceptor) {
    auto shared = std::make_shared<asio::basic_socket_acceptor<Protocol>>(std::move(acceptor));
    close_listeners_.emplace_back([shared] {
        boost::system::error_code ignored;
        shared->close(ignored);
    });
    asio::co_spawn(control_, accept_loop<Protocol>(shared, shared_from_this()), asio::detached);
}

Result<BoundListener> ServerCore::open_tcp(const ListenerOptions& listener) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(listener.host, error);
    if (error || !address.is_loopback()) {
        return not_loopback(listener);
    }
    const tcp::endpoint endpoint{address, listener.port};
    const std::string text = listener.host + ":" + std::to_string(listener.port);
    tcp::acceptor acceptor{control_};
    acceptor.open(endpoint.protocol(), error);
    if (!error) {
        acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
        acceptor.bind(endpoint, error);
    }
    if (!error) {
        acceptor.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        return cannot_listen(listener, text, error);
    }
    BoundListener bound{
        listener.name, listener.protocol, listener.host, acceptor.local_endpoint().port(), {}};
    listen(std::move(acceptor));
    return bound;
}

Result<BoundListener> ServerCore::open_unix(const ListenerOptions& listener) {
    IOTSKY_CHECK(clear_path(control_, listener));
    const std::string path = listener.path.string();
    boost::system::error_code error;
    Unix::acceptor acceptor{control_};
    acceptor.open(Unix{}, error);
    acceptor.bind(Unix::endpoint{path}, error);
    if (error) {
        return cannot_listen(listener, path, error);
    }
    restrict_socket(path, trusted);
    acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        return cannot_listen(listener, path, error);
    }
    listen(std::move(acceptor));
    close_listeners_.emplace_back([path] { ::unlink(path.c_str()); });
    return BoundListener{listener.name, listener.protocol, {}, 0, path};
}

void ServerCore::stop() {
    stopping_ = true;
    for (const auto& close : close_listeners_) {
        close();
    }
    close_listeners_.clear();
    for (AnySession* session : sessions_) {
        session->retire();
    }
    for (asio::steady_timer* poller : pollers_) {
        poller->cancel();
    }
}

void ServerCore::adopt(HandedConnection connection) {
    if (stopping_) {
        return;
    }
    auto& open = adopted_[connection.listener];
    if (!open) {
        open = std::make_shared<std::size_t>(0);
    }
    if (*open >= options.connections_max) {
        turn_away(*connection.stream, options.connections_max);
        return;
    }
    asio::posix::stream_descriptor descriptor{control_};
    boost::system::error_code error;
    descriptor.assign(connection.stream->fd(), error);
    if (error) {
        return;  // the kernel watches no more descriptors: the connection ends here
    }
    Peer peer = peer_of(connection);
    serve(control_.get_executor(),
          StreamSocket{std::move(connection.stream), std::move(descriptor)}, std::move(peer), open,
          shared_from_this(), connection.request_began);
}

void ServerCore::wake_pollers() {
    asio::post(control_, [self = shared_from_this()] {
        for (asio::steady_timer* poller : self->pollers_) {
            poller->cancel();
        }
    });
}

void ServerCore::join_pool() {
    pool_.join();
}

asio::awaitable<Response> ServerCore::on_pool(std::function<Response()> job,
                                              const Request& request) {
    if (in_pool_ >= options.work_threads + options.work_waiting_max) {
        co_return problem(too_busy(options.work_waiting_max), request);
    }
    ++in_pool_;
    const auto run = [work = std::move(job)]() -> asio::awaitable<Response> { co_return work(); };
    Response response = co_await asio::co_spawn(pool_, run, asio::use_awaitable);
    --in_pool_;
    co_return response;
}

void ServerCore::tell_delivered(Response& response, bool whole) {
    if (response.delivered) {
        asio::post(pool_, [tell = std::move(response.delivered), whole] { tell(whole); });
    }
}

asio::awaitable<void> ServerCore::wait_for_event(std::chrono::milliseconds longest) {
    asio::steady_timer timer{control_, longest};
    pollers_.insert(&timer);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    pollers_.erase(&timer);
}

Server::Server(asio::io_context& control, ServerOptions options, ServerParts parts)
    : core_(std::make_shared<ServerCore>(control, std::move(options), std::move(parts))) {}

Server::~Server() {
    core_->stop();
    core_->join_pool();
}

Result<std::vector<BoundListener>> Server::start() {
    return core_->start();
}

void Server::stop() {
    core_->stop();
}

void Server::adopt(HandedConnection connection) {
    core_->adopt(std::move(connection));
}

void Server::wake_pollers() {
    core_->wake_pollers();
}

}  // namespace iotsky::api
