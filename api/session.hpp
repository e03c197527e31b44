#pragma once

// Internal to the server: this header has Asio and Beast in it.

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "api/error_map.hpp"
#include "api/errors.hpp"
#include "api/server_core.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"

namespace iotsky::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

using Parser = http::request_parser<http::string_body>;

/// Views into the parser's header.
[[nodiscard]] Head head_of(const Parser& parser);
/// The answer with the headers that every answer carries.
[[nodiscard]] http::response<http::string_body> render(Response& response, const Request& request,
                                                       bool keep_alive);
/// The answer to bytes that are no request, or too many.
[[nodiscard]] Error error_of(const boost::system::error_code& error, const ServerOptions& options);

/// One connection: requests one after the other. Confined to control; lives as long as its
/// coroutine.
template <typename Socket>
class Session final : public AnySession, public std::enable_shared_from_this<Session<Socket>> {
  public:
    /// `began`: when the first byte of the first request came, if it has come.
    Session(Socket socket, Peer peer, std::shared_ptr<ServerCore> core,
            std::optional<TimePoint> began);
    ~Session() override;

    static asio::awaitable<void> run(std::shared_ptr<Session> self);
    void retire() override;

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

    asio::awaitable<bool> wait_for_request();
    asio::awaitable<bool> serve_one();
    asio::awaitable<bool> read_body(Parser& parser, Admission& admission);
    asio::awaitable<Response> answer(Request& request);
    asio::awaitable<bool> send(Response response, const Request& request, bool keep_alive);
    asio::awaitable<bool> refuse(Error error, const Request& request);
    asio::awaitable<void> linger();

    void cancel();
    void start_deadline(std::chrono::milliseconds after);
    [[nodiscard]] std::chrono::milliseconds time_for_request();
    void end_in(std::chrono::milliseconds after);
    void stop_deadline();

    Socket socket_;
    Peer peer_;
    std::shared_ptr<ServerCore> core_;
    asio::steady_timer timer_;
    std::uint64_t deadline_ = 0;  ///< Number of the deadline that runs; a late one is ignored.
    bool late_ = false;
    bool idle_ = false;
    beast::flat_buffer buffer_;
    std::optional<TimePoint> came_;  ///< the first byte of the request that is read next
    Clock::time_point began_{};
};

}  // namespace iotsky::api
