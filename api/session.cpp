#include "api/session.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "api/stream_socket.hpp"

namespace iotsky::api {
namespace {

/// How long an answer's reader has to close after an error, and what it may still send.
constexpr std::chrono::milliseconds kLingerTime{2000};
constexpr std::size_t kLingerBytesMax = 8 * 1024 * 1024;
/// After a deadline, until what it ends has noticed.
constexpr std::chrono::milliseconds kCancelAgain{20};
/// A waiting long poll looks again at least so often, should a wake-up be lost.
constexpr std::chrono::milliseconds kPollInterval{1000};

struct FixedHeader {
    std::string_view name;
    std::string_view value;
};

constexpr std::array kFixedHeaders{
    FixedHeader{"Cache-Control", "no-store"},
    FixedHeader{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    FixedHeader{"Cross-Origin-Resource-Policy", "same-origin"},
    FixedHeader{"Referrer-Policy", "no-referrer"},
    FixedHeader{"X-Content-Type-Options", "nosniff"},
};

bool expects_continue(const Parser& parser) {
    return beast::iequals(parser.get()[http::field::expect], "100-continue");
}

/// Of any route; each has its own limit, once it is known.
std::size_t longest_body(const ServerOptions& options) {
    return std::max(options.json_bytes_max, options.csv_bytes_max);
}

bool has_body(const Parser& parser) {
    return parser.chunked() || parser.content_length().value_or(0) > 0;
}

/// Bytes that are no HTTP; else the peer left, or the system failed.
bool is_malformed(const boost::system::error_code& error) {
    const auto& category = http::make_error_code(http::error::end_of_stream).category();
    return error.category() == category && error != http::error::end_of_stream &&
           error != http::error::partial_message;
}

std::chrono::milliseconds poll_time(const Request& request) {
    return std::chrono::seconds{request.query_number("wait", 0)};
}

}  // namespace

Head head_of(const Parser& parser) {
    const auto& message = parser.get();
    Head head;
    head.method = message.method_string();
    head.target = message.target();
    head.host = message[http::field::host];
    head.origin = message[http::field::origin];
    head.sec_fetch_site = message["Sec-Fetch-Site"];
    head.content_type = message[http::field::content_type];
    head.authorization = message[http::field::authorization];
    head.if_match = message[http::field::if_match];
    head.idempotency_key = message["Idempotency-Key"];
    head.request_id = message["X-Request-Id"];
    head.hosts = message.count(http::field::host);
    head.has_body = has_body(parser);
    return head;
}

http::response<http::string_body> render(Response& response, const Request& request,
                                         bool keep_alive) {
    http::response<http::string_body> out{static_cast<http::status>(response.status), 11};
    for (const FixedHeader& header : kFixedHeaders) {
        out.set(header.name, header.value);
    }
    out.set(http::field::content_type, response.content_type);
    if (!request.request_id.empty()) {
        out.set("X-Request-Id", request.request_id);
    }
    for (const auto& [name, value] : response.headers) {
        out.set(name, value);
    }
    out.keep_alive(keep_alive);
    out.body() = std::move(response.body);
    out.prepare_payload();
    return out;
}

Error error_of(const boost::system::error_code& error, const ServerOptions& options) {
    if (error == http::error::header_limit) {
        return header_too_long(options.header_bytes_max);
    }
    if (error == http::error::body_limit) {
        return body_too_long(longest_body(options));
    }
    return not_http(error.message());
}

template <typename Socket>
Session<Socket>::Session(Socket socket, Peer peer, std::shared_ptr<ServerCore> core,
                         std::optional<TimePoint> began)
    : socket_(std::move(socket)),
      peer_(std::move(peer)),
      core_(std::move(core)),
      timer_(socket_.get_executor()),
      came_(began) {
    core_->enter(this);
}

template <typename Socket>
Session<Socket>::~Session() {
    core_->leave(this);
}

template <typename Socket>
asio::awaitable<void> Session<Socket>::run(std::shared_ptr<Session> self) {
    bool more = true;
    while (more) {
        more = co_await self->serve_one();
    }
    co_await self->linger();
}

template <typename Socket>
void Session<Socket>::retire() {
    if (idle_) {
        cancel();
    }
}

/// Ends what waits on the socket; one that is closed already has nothing to end.
template <typename Socket>
void Session<Socket>::cancel() {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

template <typename Socket>
void Session<Socket>::start_deadline(std::chrono::milliseconds after) {
    late_ = false;
    ++deadline_;
    end_in(after);
}

/// Between two reads or writes nothing waits that could be cancelled, so it is done again and again
/// until the deadline is stopped.
template <typename Socket>
void Session<Socket>::end_in(std::chrono::milliseconds after) {
    timer_.expires_after(after);
    timer_.async_wait([self = this->shared_from_this(),
                       number = deadline_](const boost::system::error_code& error) {
        if (!error && number == self->deadline_) {
            self->late_ = true;
            self->cancel();
            self->end_in(kCancelAgain);
        }
    });
}

/// What is left for a request whose first bytes came while somebody else had the connection.
template <typename Socket>
std::chrono::milliseconds Session<Socket>::time_for_request() {
    const auto longest = core_->options.request_time_max;
    const auto came = std::exchange(came_, std::nullopt);
    if (!came) {
        return longest;
    }
    const auto gone = std::chrono::floor<std::chrono::milliseconds>(Clock::now() - *came);
    return std::max(longest - gone, std::chrono::milliseconds{0});
}

template <typename Socket>
void Session<Socket>::stop_deadline() {
    ++deadline_;
    timer_.cancel();
}

/// Waits for the first byte; false when none comes any more.
template <typename Socket>
asio::awaitable<bool> Session<Socket>::wait_for_request() {
    if (core_->stopping()) {
        co_return false;  // it began while the last answer was on its way
    }
    if (buffer_.size() > 0) {
        co_return true;
    }
    idle_ = true;
    start_deadline(core_->options.idle_time_max);
    auto [error] = co_await socket_.async_wait(Socket::wait_read, kTuple);
    stop_deadline();
    idle_ = false;
    co_return !error && !core_->stopping();
}

/// Reads, answers and sends; whether another request may follow on this connection.
template <typename Socket>
asio::awaitable<bool> Session<Socket>::serve_one() {
    if (!co_await wait_for_request()) {
        co_return false;
    }
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(core_->options.header_bytes_max));
    parser.body_limit(longest_body(core_->options));
    start_deadline(time_for_request());
    auto [error, bytes] = co_await http::async_read_header(socket_, buffer_, parser, kTuple);
    began_ = Clock::now();
    if (error) {
        Request unknown;
        unknown.peer = peer_;
        if (late_) {
            co_return co_await refuse(too_slow(core_->options.request_time_max.count() / 1000),
                                      unknown);
        }
        if (!is_malformed(error)) {
            co_return false;
        }
        co_return co_await refuse(error_of(error, core_->options), unknown);
    }
    Admission admission = core_->dispatcher.admit(head_of(parser), peer_);
    if (admission.refusal) {
        const bool keep = parser.keep_alive() && !has_body(parser);
        co_return co_await send(std::move(*admission.refusal), admission.request, keep);
    }
    if (!co_await read_body(parser, admission)) {
        co_return false;
    }
    Response response = co_await answer(admission.request);
    const bool keep = parser.keep_alive() && !core_->stopping();
    co_return co_await send(std::move(response), admission.request, keep);
}

/// Reads the rest of the request into `admission`; false when the connection is done for.
template <typename Socket>
asio::awaitable<bool> Session<Socket>::read_body(Parser& parser, Admission& admission) {
    const std::size_t limit = admission.body_bytes_max;
    if (parser.content_length().value_or(0) > limit) {
        co_return co_await refuse(body_too_long(limit), admission.request);
    }
    parser.body_limit(limit);
    if (has_body(parser) && expects_continue(parser)) {
        static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        auto [error, bytes] = co_await asio::async_write(socket_, asio::buffer(kContinue), kTuple);
        if (error) {
            co_return false;
        }
    }
    auto [error, bytes] = co_await http::async_read(socket_, buffer_, parser, kTuple);
    stop_deadline();
    if (error == http::error::body_limit) {
        co_return co_await refuse(body_too_long(limit), admission.request);
    }
    if (late_) {
        co_return co_await refuse(too_slow(core_->options.request_time_max.count() / 1000),
                                  admission.request);
    }
    if (error) {
        co_return is_malformed(error) &&
            co_await refuse(error_of(error, core_->options), admission.request);
    }
    admission.request.body = std::move(parser.get().body());
    co_return true;
}

/// Runs the handler; a long poll again and again until it has something or its time is over.
template <typename Socket>
asio::awaitable<Response> Session<Socket>::answer(Request& request) {
    const auto until = Clock::now() + poll_time(request);
    const std::function<Response()> job = [this, &request] {
        return core_->dispatcher.serve(request);
    };
    Response response = co_await core_->on_pool(job, request);
    while (response.nothing_yet && Clock::now() < until && !core_->stopping()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        co_await core_->wait_for_event(std::min(left, kPollInterval));
        response = co_await core_->on_pool(job, request);
    }
    wipe(request.body);
    co_return response;
}

template <typename Socket>
asio::awaitable<bool> Session<Socket>::send(Response response, const Request& request,
                                            bool keep_alive) {
    auto message = render(response, request, keep_alive);
    start_deadline(core_->options.answer_time_max);
    auto [error, bytes] = co_await http::async_write(socket_, message, kTuple);
    stop_deadline();
    if (response.secret) {
        wipe(message.body());
    }
    core_->tell_delivered(response, !error);
    core_->stats.record(request.route != nullptr ? request.route->pattern : "",
                        request.route != nullptr ? to_string(request.method) : "", response.status,
                        Clock::now() - began_);
    if (log::enabled(log::Level::debug)) {
        log::debug("", "http request",
                   {{"peer", peer_.address},
                    {"path", request.path},
                    {"rc", response.status},
                    {"req", request.request_id}});
    }
    co_return !error && keep_alive;
}

template <typename Socket>
asio::awaitable<bool> Session<Socket>::refuse(Error error, const Request& request) {
    co_return co_await send(problem(error, request), request, false);
}

/// Ends our side and waits for the other's end: closing at once with bytes unread would reset the
/// connection, and the peer might never see the answer.
template <typename Socket>
asio::awaitable<void> Session<Socket>::linger() {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    idle_ = true;
    start_deadline(kLingerTime);
    std::array<char, 4096> bytes{};
    std::size_t total = 0;
    while (total < kLingerBytesMax && !late_ && !core_->stopping()) {
        auto [error, n] = co_await socket_.async_read_some(asio::buffer(bytes), kTuple);
        if (error) {
            break;
        }
        total += n;
    }
    stop_deadline();
    socket_.close(ignored);
}

template class Session<asio::ip::tcp::socket>;
template class Session<asio::local::stream_protocol::socket>;
template class Session<StreamSocket>;

}  // namespace iotsky::api
