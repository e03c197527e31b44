#pragma once

// Internal to the server: this header has Asio in it.

#include <atomic>
#include <boost/asio.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "api/dispatcher.hpp"
#include "api/options.hpp"
#include "api/peer.hpp"
#include "api/server.hpp"

namespace iotsky::api {

/// A connection as the server sees it: something to end.
class AnySession {
  public:
    virtual ~AnySession() = default;
    /// The server stops: ends at once when idle, else after the answer.
    virtual void retire() = 0;
};

/// What the listeners and connections share. Confined to control; `dispatcher` and `options` are
/// immutable.
class ServerCore : public std::enable_shared_from_this<ServerCore> {
  public:
    ServerCore(boost::asio::io_context& control, ServerOptions opts, ServerParts parts);

    Result<std::vector<BoundListener>> start();
    void stop();
    void adopt(HandedConnection connection);
    void wake_pollers();
    void join_pool();

    /// Runs `job` on the pool and comes back to control. Too much waiting: a 503 answer at once.
    boost::asio::awaitable<Response> on_pool(std::function<Response()> job, const Request& request);
    void tell_delivered(Response& response, bool whole);
    /// Waits until woken, or `longest` is over.
    boost::asio::awaitable<void> wait_for_event(std::chrono::milliseconds longest);

    void enter(AnySession* session) { sessions_.insert(session); }
    void leave(AnySession* session) { sessions_.erase(session); }
    [[nodiscard]] bool stopping() const noexcept { return stopping_; }

    const ServerOptions options;
    const Dispatcher dispatcher;
    HttpStats& stats;
    const TrustedAccounts trusted;

  private:
    template <typename Protocol>
    void listen(boost::asio::basic_socket_acceptor<Protocol> acceptor);
    Result<BoundListener> open(const ListenerOptions& listener);
    Result<BoundListener> open_tcp(const ListenerOptions& listener);
    Result<BoundListener> open_unix(const ListenerOptions& listener);

    boost::asio::io_context& control_;
    boost::asio::thread_pool pool_;
    std::size_t in_pool_ = 0;
    bool stopping_ = false;
    std::vector<std::function<void()>> close_listeners_;
    std::set<AnySession*> sessions_;
    std::map<std::string, std::shared_ptr<std::size_t>> adopted_;  ///< open ones, by listener
    std::set<boost::asio::steady_timer*> pollers_;
};

}  // namespace iotsky::api
