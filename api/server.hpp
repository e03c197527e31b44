#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/caller.hpp"
#include "api/http_stats.hpp"
#include "api/options.hpp"
#include "api/route.hpp"
#include "api/token_guard.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

namespace boost::asio {
class io_context;
}

namespace iotsky::api {

class HandedStream;
class ServerCore;

/// A connection that was accepted elsewhere: an https listener's, behind its TLS.
struct HandedConnection {
    std::unique_ptr<HandedStream> stream;
    std::string listener;
    std::string address;      ///< of the peer, without port
    std::uint16_t port = 0;   ///< of the peer
    std::string own_address;  ///< of ours that it reached
    /// When the first byte of its first request came; none: it has not come.
    std::optional<TimePoint> request_began = {};
};

/// A listener that is open: what endpoints.json says about it.
struct BoundListener {
    std::string name;
    ListenerProtocol protocol = ListenerProtocol::http;
    std::string host;        ///< http
    std::uint16_t port = 0;  ///< http: the port in use
    std::string path;        ///< unix_socket
};

/// What the server runs on; all must outlive it.
struct ServerParts {
    std::span<const Route> table;
    Services& services;
    HttpStats& stats;
    TokenLookup token_lookup;
    TokenGuard& guard;  ///< also of MQTT, where tokens are passwords
};

/// The HTTP endpoint: listeners and connections on the caller's `control` thread, handlers on a
/// pool of its own. Thread: confined to `control`, unless said otherwise.
class Server {
  public:
    /// `control` must be run by one thread, and outlive the server or be stopped before it.
    Server(boost::asio::io_context& control, ServerOptions options, ServerParts parts);
    /// Stops, and waits for handlers that run.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Opens all listeners, or none. Errors: E4123 an address that is not loopback, E1101 address
    /// in use, E1107 the socket's path, io. Thread: before `control` runs, or control.
    [[nodiscard]] Result<std::vector<BoundListener>> start();
    /// Closes listeners and idle connections; requests that run are answered, then closed.
    void stop();
    /// Serves a connection that is open already; beyond `connections_max` of its listener it gets
    /// 503. After stop() it is dropped.
    void adopt(HandedConnection connection);
    /// Asks the handlers of waiting long polls again: an event was committed. Thread: any.
    void wake_pollers();

  private:
    std::shared_ptr<ServerCore> core_;
};

}  // namespace iotsky::api
