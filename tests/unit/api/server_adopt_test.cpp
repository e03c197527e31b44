// Connections that were accepted elsewhere, over socket pairs.
#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/handed_stream.hpp"
#include "api/server.hpp"
#include "base/unique_fd.hpp"
#include "tests/unit/api/installation.hpp"

namespace iotsky::api {
namespace {

using namespace std::chrono_literals;

Result<Response> hello(Services& /*services*/, const Request& /*request*/) {
    Response response;
    response.body = R"("hello")";
    return response;
}

/// More than a socket takes at once.
Result<Response> large(Services& /*services*/, const Request& /*request*/) {
    Response response;
    response.body = std::string(4 << 20, 'x') + "end";
    return response;
}

constexpr Route open_route(std::string_view pattern, Handler handler) {
    Route route;
    route.method = Method::get;
    route.pattern = pattern;
    route.handler = handler;
    route.door = Door::open;
    return route;
}
constexpr std::array kTable{open_route("/hello", hello), open_route("/large", large)};

Result<Caller> nobody(std::string_view /*token*/) {
    return Caller{};
}

/// One end of a socket pair. The first bytes that it reads can come slowly: one in each read, which
/// takes its time, as the decryption of many small records would.
class PairStream final : public HandedStream {
  public:
    PairStream(UniqueFd fd, std::string slow) : fd_(std::move(fd)), slow_(std::move(slow)) {}

    [[nodiscard]] int fd() const noexcept override { return fd_.get(); }
    [[nodiscard]] Outcome read_some(std::span<std::byte> into) override {
        if (!slow_.empty()) {
            const auto until = std::chrono::steady_clock::now() + 2ms;
            while (std::chrono::steady_clock::now() < until) {
            }
            into.front() = static_cast<std::byte>(slow_.front());
            slow_.erase(0, 1);
            return {State::ok, 1};
        }
        return outcome_of(::recv(fd(), into.data(), into.size(), MSG_DONTWAIT), State::ended);
    }
    [[nodiscard]] Outcome write_some(std::span<const std::byte> bytes) override {
        return outcome_of(::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL),
                          State::would_block);
    }
    [[nodiscard]] State flush() override { return State::ok; }
    [[nodiscard]] bool holds_input() const noexcept override { return !slow_.empty(); }
    void end_output() override { ::shutdown(fd(), SHUT_WR); }

  private:
    static Outcome outcome_of(ssize_t n, State at_nothing) {
        if (n < 0) {
            return {errno == EAGAIN ? State::would_block : State::ended, 0};
        }
        return n == 0 ? Outcome{at_nothing, 0} : Outcome{State::ok, static_cast<std::size_t>(n)};
    }

    UniqueFd fd_;
    std::string slow_;
};

/// The other end.
struct Browser {
    UniqueFd fd;
    std::string got;
    bool ended = false;

    void look() {
        std::array<char, 4096> bytes{};
        const ssize_t n = ::recv(fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        ended |= n == 0;
        got.append(bytes.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    }
    void ask(const std::string& path = "/hello") const {
        const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
        // Who was turned away already sees that in what it gets.
        static_cast<void>(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL));
    }
};

struct Fixture {
    explicit Fixture(ServerOptions options = {})
        : server(control, std::move(options),
                 ServerParts{kTable, *installation.services, stats, nobody, installation.guard}) {}

    Browser adopt(std::string slow = {}, std::optional<TimePoint> began = {}) {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
        server.adopt({std::make_unique<PairStream>(UniqueFd{fds[0]}, std::move(slow)), "web",
                      "127.0.0.1", 50'000, "127.0.0.1", began});
        return Browser{UniqueFd{fds[1]}, {}, false};
    }
    [[nodiscard]] bool until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!done()) {
            if (std::chrono::steady_clock::now() > end) {
                return false;
            }
            control.restart();
            control.run_for(1ms);
        }
        return true;
    }
    [[nodiscard]] bool gets(Browser& peer, std::string_view text) {
        return until([&] {
            peer.look();
            return peer.got.find(text) != std::string::npos;
        });
    }
    [[nodiscard]] bool ends(Browser& peer) {
        return until([&] {
            peer.look();
            return peer.ended;
        });
    }

    Installation installation;
    HttpStats stats;
    boost::asio::io_context control{1};
    Server server;
};

ServerOptions at_most(std::size_t connections) {
    ServerOptions options;
    options.connections_max = connections;
    return options;
}

}  // namespace

TEST_SUITE("api.server.adopt") {
    TEST_CASE("more connections than the limit get 503, and places become free again") {
        Fixture f{at_most(2)};
        Browser first = f.adopt();
        Browser second = f.adopt();
        Browser third = f.adopt();
        CHECK(f.gets(third, "HTTP/1.1 503 "));
        CHECK(f.ends(third));
        first.ask();
        CHECK(f.gets(first, "\"hello\""));
        second.ask();
        CHECK(f.gets(second, "\"hello\""));
        first.fd.reset();
        CHECK(f.until([&] {
            Browser next = f.adopt();
            next.ask();
            f.control.restart();
            f.control.run_for(5ms);
            return f.gets(next, "HTTP/1.1 ") && next.got.starts_with("HTTP/1.1 200 ");
        }));
    }
    TEST_CASE("a deadline that passes between two reads ends the request all the same") {
        ServerOptions options;
        options.request_time_max = 10ms;
        Fixture f{std::move(options)};
        Browser peer = f.adopt("GET /hello HTTP/1.1\r\nHost:");
        CHECK(f.gets(peer, "HTTP/1.1 408 "));
        CHECK(f.ends(peer));
    }
    TEST_CASE("a request has its time from its first byte on, whoever read that") {
        Fixture f;
        Browser peer = f.adopt("GET /hello HT", TimePoint::clock::now() - 9'900ms);
        const TimePoint began = TimePoint::clock::now();
        CHECK(f.gets(peer, "HTTP/1.1 408 "));
        CHECK(TimePoint::clock::now() - began < 5s);
        Browser in_time = f.adopt({}, TimePoint::clock::now());
        in_time.ask();
        CHECK(f.gets(in_time, "HTTP/1.1 200 "));
    }
    TEST_CASE("a stop ends connections that wait, and those that come later") {
        Fixture f;
        Browser open = f.adopt();
        open.ask();
        REQUIRE(f.gets(open, "\"hello\""));
        f.server.stop();
        CHECK(f.ends(open));
        Browser late = f.adopt();
        CHECK(f.ends(late));
    }
    TEST_CASE("a stop while an answer is on its way ends the connection behind it") {
        Fixture f;
        Browser open = f.adopt();
        open.ask("/large");
        REQUIRE(f.gets(open, "HTTP/1.1 200 "));
        f.server.stop();
        CHECK(f.ends(open));
        CHECK(open.got.ends_with("end"));
    }
}

}  // namespace iotsky::api
