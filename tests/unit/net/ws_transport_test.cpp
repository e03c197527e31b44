#include "broker/net/ws_transport.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/ws_frames.hpp"
#include "tests/unit/net/tls_server.hpp"

using namespace iotsky;
using namespace iotsky::net;
using namespace iotsky::test;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

using broker::CloseReason;

const std::string kRequest =
    "GET /mqtt HTTP/1.1\r\nHost: iotsky.local\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n";

constexpr std::size_t kAnswerBytes = 159;  // of the 101

ListenerOptions options_for(Protocol protocol, std::chrono::milliseconds timeout = 60s) {
    ListenerOptions options;
    options.protocol = protocol;
    options.handshake_timeout = timeout;
    return options;
}

/// A listener of WebSockets whose connections are socket pairs; clients speak bytes.
struct WsServer : TlsServer {
    explicit WsServer(Protocol protocol = Protocol::ws, std::chrono::milliseconds timeout = 60s)
        : TlsServer(optional(), options_for(protocol, timeout)) {}
    static TlsOptions optional() {
        TlsOptions options;
        options.client_certificate = ClientCertificate::optional;
        return options;
    }
    using Loop::until;
    using TlsServer::until;
    /// Sends `bytes` and turns until the client got `n` bytes or its end.
    std::string exchange(const UniqueFd& fd, std::string_view bytes, std::size_t n) {
        REQUIRE(write_some(fd, bytes) == bytes.size());
        std::string got;
        REQUIRE(until([&] {
            got += read_some(fd, &ended);
            return got.size() >= n || ended;
        }));
        return got;
    }
    /// A client whose WebSocket is open.
    UniqueFd open() {
        UniqueFd fd = connect();
        REQUIRE(exchange(fd, kRequest, kAnswerBytes).starts_with("HTTP/1.1 101 "));
        return fd;
    }
    bool ended = false;
};

/// Handshakes in the histogram of their times.
std::uint64_t timed(WsServer& server) {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
        all += server.poller.counters().handshake_seconds.count(i);
    }
    return all;
}

/// Beast's client over the other end of the socket pair, turned in step with the server.
struct BeastClient {
    using Stream = websocket::stream<asio::local::stream_protocol::socket>;

    explicit BeastClient(WsServer& s) : server(s), stream(io) {
        stream.next_layer().assign(asio::local::stream_protocol(), ::dup(server.connect().get()));
        stream.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
            request.set("Sec-WebSocket-Protocol", "mqtt");
        }));
        stream.auto_fragment(false);
        stream.binary(true);
        stream.control_callback([this](websocket::frame_type kind, beast::string_view payload) {
            if (kind == websocket::frame_type::pong) {
                pongs.emplace_back(payload);
            }
        });
        CHECK_FALSE(run([&](auto done) { stream.async_handshake("localhost", "/mqtt", done); }));
    }
    /// Runs one operation to its end.
    template <typename Start>
    beast::error_code run(Start start) {
        bool over = false;
        beast::error_code result;
        start([&](beast::error_code error, auto...) {
            result = error;
            over = true;
        });
        REQUIRE(server.until([&] {
            io.restart();
            io.poll();
            return over;
        }));
        return result;
    }
    void write_fragment(bool last, std::string_view bytes) {
        CHECK_FALSE(run([&](auto done) {
            stream.async_write_some(last, asio::buffer(bytes.data(), bytes.size()), done);
        }));
    }
    /// Reads until `n` bytes came; nothing but binary may come.
    std::string read(std::size_t n) {
        std::string got;
        while (got.size() < n) {
            beast::flat_buffer buffer;
            const auto error = run([&](auto done) { stream.async_read_some(buffer, 0, done); });
            REQUIRE_FALSE(error);
            CHECK(stream.got_binary());
            got += beast::buffers_to_string(buffer.data());
        }
        return got;
    }

    WsServer& server;
    asio::io_context io;
    Stream stream;
    std::vector<std::string> pongs;
};

}  // namespace

TEST_SUITE("net.ws_transport") {
    TEST_CASE("[MQTT-6.0.0-2] bytes come as they are, however Beast's client fragments them") {
        WsServer server;
        BeastClient client(server);
        const std::string text = pattern(300);
        for (std::size_t i = 0; i < text.size(); ++i) {
            client.write_fragment(i + 1 == text.size(), std::string_view{text}.substr(i, 1));
            if (i % 100 == 50) {
                CHECK_FALSE(
                    client.run([&](auto done) { client.stream.async_ping({"between"}, done); }));
            }
        }
        CHECK(client.read(text.size()) == text);
        CHECK(server.sink.only().received == text);
        CHECK(client.pongs.size() >= 1);
        CHECK(client.pongs.front() == "between");
    }
    TEST_CASE("[MQTT-6.0.0-1] what we send is binary, whatever its size") {
        WsServer server;
        server.sink.echo = false;
        BeastClient client(server);
        const std::string large = pattern(300'000);
        server.sink.send(server.sink.conns.begin()->first, large);
        CHECK(client.read(large.size()) == large);
    }
    TEST_CASE("[MQTT-6.0.0-1] a text frame of Beast's client closes with 1003") {
        WsServer server;
        BeastClient client(server);
        client.stream.text(true);
        client.write_fragment(true, "hello");
        beast::flat_buffer buffer;
        CHECK(client.run([&](auto done) { client.stream.async_read(buffer, done); }) ==
              websocket::error::closed);
        CHECK(client.stream.reason().code == websocket::close_code::unknown_data);
        CHECK(server.sink.closed == std::vector{CloseReason::protocol_error});
        CHECK(server.sink.conns.empty());
    }
    TEST_CASE("Beast's close is answered, and counts as the peer's close") {
        WsServer server;
        BeastClient client(server);
        CHECK_FALSE(client.run([&](auto done) {
            client.stream.async_close(websocket::close_code::going_away, done);
        }));
        CHECK(server.sink.closed == std::vector{CloseReason::peer_closed});
    }
    TEST_CASE("our close says so in a frame") {
        WsServer server;
        BeastClient client(server);
        server.sink.end(server.sink.conns.begin()->first);
        beast::flat_buffer buffer;
        CHECK(client.run([&](auto done) { client.stream.async_read(buffer, done); }) ==
              websocket::error::closed);
        CHECK(client.stream.reason().code == websocket::close_code::normal);
    }
    TEST_CASE("frames in the same segment as the request are read") {
        WsServer server;
        const UniqueFd fd = server.connect();
        const std::string got =
            server.exchange(fd, kRequest + client_frame(kBinary, "early"), kAnswerBytes + 7);
        CHECK(
            got.ends_with("\x82\x05"
                          "early"));
    }
    TEST_CASE("a request may come byte by byte") {
        WsServer server;
        const UniqueFd fd = server.connect();
        for (const char c : kRequest) {
            REQUIRE(write_some(fd, {&c, 1}) == 1);
            server.turns(1);
        }
        CHECK(server.exchange(fd, client_frame(kBinary, "x"), kAnswerBytes + 3)
                  .ends_with("\x82\x01x"));
    }
    TEST_CASE("data before a fault counts, what follows does not; an unmasked frame gets 1002") {
        WsServer server;
        server.sink.echo = false;
        const UniqueFd fd = server.open();
        std::string seen;
        server.sink.on_input = [&](std::uint32_t slot) {
            seen = server.sink.conns.at(slot).received;
            return true;
        };
        const std::string got = server.exchange(
            fd, client_frame(kBinary, "good") + "\x82\x01x" + client_frame(kBinary, "bad"), 4);
        CHECK(got == "\x88\x02\x03\xea");
        CHECK(seen == "good");
        CHECK(server.sink.closed == std::vector{CloseReason::protocol_error});
    }
    TEST_CASE("one Pong waits for a peer that takes nothing, not one for each Ping") {
        WsServer server;
        server.sink.echo = false;
        const UniqueFd fd = server.open();
        const std::string text(2'000'000, 'x');
        server.sink.send(server.sink.conns.begin()->first, text);
        server.turns(2);
        for (int i = 0; i < 1'000;) {
            if (write_some(fd, client_frame(kPing, std::to_string(10'000 + i))) > 0) {
                ++i;
            }
            server.turns(1);
        }
        std::string got;
        REQUIRE(server.until([&] {
            got += read_some(fd);
            return std::ranges::count(got, 'x') == std::ssize(text) &&
                   got.find(
                       "\x8a\x05"
                       "10999") != std::string::npos;
        }));
        CHECK(std::ranges::count(got, '\x8a') == 1);
    }
    TEST_CASE("a refused request is answered, told and counted") {
        WsServer server;
        struct Row {
            std::string text;
            std::string status;
            std::string number;
        };
        std::string other_protocol = kRequest;
        other_protocol.replace(other_protocol.find("mqtt\r\n"), 4, "chat");
        std::string foreign_page = kRequest;
        foreign_page.insert(foreign_page.size() - 2, "Origin: https://evil.example\r\n");
        for (const Row& row : std::vector<Row>{
                 {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "404", "E3215"},
                 {other_protocol, "400", "E3216"},
                 {foreign_page, "403", "E3217"},
                 {"GET /mqtt HTTP/1.1\r\nX: " + std::string(9'000, 'x'), "431", "E3215"},
                 {"\x10\x0c\0\4MQTT\4\2\0\0\0\0"s, "400", "E3215"},
             }) {
            CAPTURE(row.text);
            const std::uint64_t refused = server.refused();
            const UniqueFd fd = server.connect();
            CHECK(server.exchange(fd, row.text, 12).substr(9, 3) == row.status);
            // Equal ones of one address are told once.
            CHECK(std::ranges::count(server.refusals.told, row.number, &broker::Refusal::number) ==
                  1);
            CHECK(server.refused() == refused + 1);
            CHECK(server.failed() == 0);
            CHECK(server.sink.opened.empty());
        }
    }
    TEST_CASE("a request that does not end in time is told and closed") {
        WsServer server(Protocol::ws, 100ms);
        const UniqueFd fd = server.connect();
        REQUIRE(write_some(fd, "GET /mqtt HT") == 12);
        bool over = false;
        CHECK(server.until([&] {
            read_some(fd, &over);
            return over;
        }));
        CHECK(server.refusals.told.back().number == "E3209");
    }
    TEST_CASE("over TLS it is the same, with the client's certificate") {
        WsServer server(Protocol::wss);
        server.sink.echo = true;
        TlsClient client(server.connect(), server.device());
        REQUIRE(server.until(client, [&] { return client.ready(); }));
        client.write(kRequest);
        REQUIRE(server.until(client, [&] { return !server.sink.conns.empty(); }));
        CHECK(server.sink.opened.front().certificate_der != nullptr);
        client.write(client_frame(kBinary, pattern(40'000)));
        REQUIRE(server.until(client,
                             [&] { return client.got.size() >= kAnswerBytes + 40'000 + 3 * 4; }));
        CHECK(server.sink.only().received == pattern(40'000));
        client.write(client_frame(kClose, ""));
        REQUIRE(server.until(client, [&] { return server.sink.conns.empty(); }));
        CHECK(server.until(client, [&] { return client.got.ends_with("\x88\x02\x03\xe8"); }));
    }
    TEST_CASE("on an https listener only the path of MQTT stays here") {
        std::vector<std::unique_ptr<WebConnection>> handed;
        WsServer server(Protocol::https);
        server.shared = std::make_shared<ListenerShared>(
            options_for(Protocol::https), server.slot, server.doctor,
            [&](std::unique_ptr<WebConnection> web) { handed.push_back(std::move(web)); });
        TlsClient mqtt(server.connect(), server.device());
        REQUIRE(server.until(mqtt, [&] { return mqtt.ready(); }));
        mqtt.write(kRequest);
        REQUIRE(server.until(mqtt, [&] { return !server.sink.conns.empty(); }));
        CHECK(handed.empty());

        TlsClient::Options browser;
        browser.trust = &server.pki.server_ca;
        TlsClient web(server.connect(), browser);
        REQUIRE(server.until(web, [&] { return web.ready(); }));
        web.write("GET /ca.crt HTTP/1.1\r\nHost: a\r\n");
        REQUIRE(server.until(web, [&] { return handed.size() == 1; }));
        CHECK(server.sink.conns.size() == 1);

        auto buffers = std::make_unique<IoBuffers>();
        WebConnection& connection = *handed.front();
        connection.attach(*buffers);
        std::string request;
        std::array<std::byte, 10> piece{};
        web.write("\r\nbehind");
        REQUIRE(server.until(web, [&] {
            const auto got = connection.read_some(piece);
            request.append(reinterpret_cast<const char*>(piece.data()), got.bytes);
            return request.ends_with("behind");
        }));
        CHECK(request == "GET /ca.crt HTTP/1.1\r\nHost: a\r\n\r\nbehind");
        CHECK(connection.read_some(piece).state == WebConnection::State::would_block);

        const std::string page = pattern(500'000);
        std::size_t sent = 0;
        REQUIRE(server.until(web, [&] {
            const auto put = connection.write_some(std::as_bytes(std::span{page}).subspan(sent));
            sent += put.bytes;
            return sent == page.size() && connection.flush() == WebConnection::State::ok &&
                   web.got.size() == page.size();
        }));
        CHECK(web.got == page);
        connection.end_output();
        CHECK(server.until(web, [&] { return web.ended; }));
    }
    TEST_CASE("a browser that opens connections ahead fails nothing, but it opens only so many") {
        ListenerOptions options = options_for(Protocol::https, 200ms);
        options.failures_per_minute_max = 1;
        WsServer server(Protocol::https);
        server.shared = std::make_shared<ListenerShared>(options, server.slot, server.doctor,
                                                         [](std::unique_ptr<WebConnection>) {});
        const auto open_ahead = [&](std::size_t n) {
            std::vector<std::unique_ptr<TlsClient>> clients;
            for (std::size_t i = 0; i < n; ++i) {
                clients.push_back(std::make_unique<TlsClient>(server.connect(), server.device()));
            }
            for (const auto& client : clients) {
                REQUIRE(server.until(*client, [&] {
                    for (const auto& each : clients) {
                        each->pump();
                    }
                    return client->ended;
                }));
            }
        };
        open_ahead(AddressLimiter::kUnusedPerFailure - 1);
        CHECK(server.refusals.told.empty());
        CHECK(server.failed() == 0);
        CHECK(server.refused() == 0);
        CHECK(server.shared->limiter.allows({}, server.clock.now()));
        open_ahead(1);
        CHECK_FALSE(server.shared->limiter.allows({}, server.clock.now()));
        CHECK(server.failed() == 0);
    }
    TEST_CASE("requests for WebSockets are no TLS handshakes, and fail on their own account") {
        WsServer plain;
        BeastClient client(plain);
        CHECK(plain.shared->handshakes.full == 0);
        CHECK(plain.shared->websockets.opened == 1);
        CHECK(timed(plain) == 0);

        WsServer secure(Protocol::wss);
        TlsClient stranger(secure.connect(), secure.device());
        REQUIRE(secure.until(stranger, [&] { return stranger.ready(); }));
        stranger.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        REQUIRE(secure.until(stranger, [&] { return stranger.ended; }));
        CHECK(secure.shared->handshakes.full == 1);
        CHECK(timed(secure) == 1);
        CHECK(secure.failed() == 0);
        CHECK(secure.refused() == 1);
        CHECK(secure.shared->websockets.opened == 0);
    }
    TEST_CASE("the frames of a burst leave in one send, in clear and over TLS") {
        const std::string burst = pattern(40'000);  // three frames
        WsServer plain;
        plain.packets = true;
        plain.sink.echo = false;
        const UniqueFd fd = plain.open();
        plain.sink.send(plain.sink.conns.begin()->first, burst);
        plain.turns(2);
        CHECK(read_some(fd).size() == burst.size() + 3 * 4);
        CHECK(read_some(fd).empty());

        WsServer secure(Protocol::wss);
        secure.packets = true;
        secure.sink.echo = false;
        TlsClient client(secure.connect(), secure.device());
        REQUIRE(secure.until(client, [&] { return client.ready(); }));
        client.write(kRequest);
        REQUIRE(secure.until(client, [&] { return client.got.size() == kAnswerBytes; }));
        secure.sink.send(secure.sink.conns.begin()->first, burst);
        secure.turns(2);
        client.pump();  // one recv
        CHECK(client.got.size() == kAnswerBytes + burst.size() + 3 * 4);
    }
}
