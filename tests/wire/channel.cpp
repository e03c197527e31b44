#include "tests/wire/channel.hpp"

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <stdexcept>
#include <type_traits>

namespace iotsky::wire {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using Error = boost::system::error_code;
using Tls = asio::ssl::stream<tcp::socket>;

template <typename Stream>
inline constexpr bool kIsWebSocket = false;
template <typename Below>
inline constexpr bool kIsWebSocket<websocket::stream<Below>> = true;
template <typename Stream>
inline constexpr bool kHasTls =
    std::is_same_v<Stream, Tls> || std::is_same_v<Stream, websocket::stream<Tls>>;

void check(const Error& error, const char* what) {
    if (error) {
        throw std::runtime_error(std::string(what) + ": " + error.message());
    }
}

/// Every operation is asynchronous and is given its time: blocking ones have no deadline.
template <typename Stream>
class StreamChannel final : public Channel {
  public:
    StreamChannel(std::uint16_t port, std::chrono::milliseconds patience)
        : patience_(patience), stream_(make()) {
        tcp::socket& socket = beast::get_lowest_layer(stream_);
        Error error;
        socket.connect({asio::ip::address_v4::loopback(), port}, error);
        check(error, "connect");
        socket.set_option(tcp::no_delay{true});
        if constexpr (std::is_same_v<Stream, Tls>) {
            check(run([&](auto done) {
                      stream_.async_handshake(asio::ssl::stream_base::client, done);
                  }),
                  "TLS");
        }
        if constexpr (kIsWebSocket<Stream>) {
            open_websocket();
        }
    }

    void write(std::span<const std::byte> bytes) override {
        const auto buffer = asio::buffer(bytes.data(), bytes.size());
        // An error means that it was closed: the next read says so.
        static_cast<void>(run([&](auto done) {
            if constexpr (kIsWebSocket<Stream>) {
                stream_.async_write(buffer, done);
            } else {
                asio::async_write(stream_, buffer, done);
            }
        }));
    }

    Read read(std::span<std::byte> into) override {
        if (!reading_) {
            reading_ = true;
            outcome_.reset();
            stream_.async_read_some(asio::buffer(into.data(), into.size()),
                                    [this](Error error, std::size_t n) {
                                        outcome_ = {error ? Got::closed : Got::bytes, n};
                                    });
        }
        if (!run_until([this] { return outcome_.has_value(); })) {
            return {};
        }
        reading_ = false;
        return *outcome_;
    }

    void reset_on_close() override {
        beast::get_lowest_layer(stream_).set_option(asio::socket_base::linger{true, 0});
    }

    void finish() override {
        if constexpr (kIsWebSocket<Stream>) {
            static_cast<void>(
                run([&](auto done) { stream_.async_close(websocket::close_code::normal, done); }));
            return;
        }
        if constexpr (std::is_same_v<Stream, Tls>) {
            SSL_shutdown(stream_.native_handle());  // into the memory that the next write sends
            const char nothing = 0;
            static_cast<void>(
                run([&](auto done) { stream_.async_write_some(asio::buffer(&nothing, 0), done); }));
        }
        Error ignored;
        beast::get_lowest_layer(stream_).shutdown(tcp::socket::shutdown_send, ignored);
    }

  private:
    Stream make() {
        if constexpr (kHasTls<Stream>) {
            tls_.set_verify_mode(asio::ssl::verify_none);
            return Stream{io_, tls_};
        } else {
            return Stream{io_};
        }
    }

    void open_websocket() {
        if constexpr (kHasTls<Stream>) {
            check(run([&](auto done) {
                      stream_.next_layer().async_handshake(asio::ssl::stream_base::client, done);
                  }),
                  "TLS");
        }
        stream_.set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
            request.set("Sec-WebSocket-Protocol", "mqtt");
        }));
        stream_.binary(true);
        check(run([&](auto done) { stream_.async_handshake("localhost", "/mqtt", done); }),
              "WebSocket");
    }

    /// Runs one operation to its end, or until the patience is over.
    template <typename Start>
    Error run(Start start) {
        auto over = std::make_shared<std::optional<Error>>();
        start([over](Error error, auto...) { *over = error; });
        return run_until([&] { return over->has_value(); }) ? **over : asio::error::timed_out;
    }

    template <typename Done>
    bool run_until(Done done) {
        const auto end = std::chrono::steady_clock::now() + patience_;
        while (!done()) {
            io_.restart();
            if (io_.run_one_until(end) == 0 && std::chrono::steady_clock::now() >= end) {
                return done();
            }
        }
        return true;
    }

    asio::io_context io_;
    asio::ssl::context tls_{asio::ssl::context::tls_client};
    const std::chrono::milliseconds patience_;
    Stream stream_;
    bool reading_ = false;
    std::optional<Read> outcome_;
};

}  // namespace

std::optional<Transport> parse_transport(std::string_view text) noexcept {
    constexpr std::string_view kWords[] = {"tcp", "tls", "ws", "wss"};
    for (std::size_t i = 0; i < std::size(kWords); ++i) {
        if (text == kWords[i]) {
            return static_cast<Transport>(i);
        }
    }
    return std::nullopt;
}

std::unique_ptr<Channel> connect(Transport transport, std::uint16_t port,
                                 std::chrono::milliseconds patience) {
    switch (transport) {
        case Transport::tcp:
            break;
        case Transport::tls:
            return std::make_unique<StreamChannel<Tls>>(port, patience);
        case Transport::ws:
            return std::make_unique<StreamChannel<websocket::stream<tcp::socket>>>(port, patience);
        case Transport::wss:
            return std::make_unique<StreamChannel<websocket::stream<Tls>>>(port, patience);
    }
    return std::make_unique<StreamChannel<tcp::socket>>(port, patience);
}

}  // namespace iotsky::wire
