#include "apps/http/client.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <charconv>

#include "apps/client/stream.hpp"
#include "apps/config/config.hpp"
#include "base/text.hpp"

namespace iotsky::apps {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::chrono::milliseconds kConnectTimeout{5'000};
constexpr std::uint64_t kAnswerBytesMax = 512U << 20U;  // bundles of a whole class

/// Our Stream as Beast wants to see a synchronous stream. Keeps the reason of a failure.
class BeastStream {
  public:
    explicit BeastStream(Stream& stream) : stream_(stream) {}

    template <typename Buffers>
    std::size_t read_some(const Buffers& buffers, error_code& fault) {
        const boost::asio::mutable_buffer into = *boost::asio::buffer_sequence_begin(buffers);
        auto count = stream_.read_some({static_cast<std::byte*>(into.data()), into.size()});
        fault = !count        ? failed(std::move(count).error())
                : *count == 0 ? error_code{http::error::end_of_stream}
                              : error_code{};
        return count ? *count : 0;
    }
    template <typename Buffers>
    std::size_t read_some(const Buffers& buffers) {
        error_code fault;
        const std::size_t count = read_some(buffers, fault);
        if (fault) {
            throw boost::system::system_error{fault};
        }
        return count;
    }
    template <typename Buffers>
    std::size_t write_some(const Buffers& buffers, error_code& fault) {
        std::size_t total = 0;
        fault = {};
        const auto end = boost::asio::buffer_sequence_end(buffers);
        for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
            const boost::asio::const_buffer bytes = *at;
            auto written =
                stream_.write_all({static_cast<const std::byte*>(bytes.data()), bytes.size()});
            if (!written) {
                fault = failed(std::move(written).error());
                return total;
            }
            total += bytes.size();
        }
        return total;
    }
    template <typename Buffers>
    std::size_t write_some(const Buffers& buffers) {
        error_code fault;
        const std::size_t count = write_some(buffers, fault);
        if (fault) {
            throw boost::system::system_error{fault};
        }
        return count;
    }

    [[nodiscard]] const std::optional<Error>& reason() const { return reason_; }

  private:
    error_code failed(Error&& error) {
        reason_ = std::move(error);
        return boost::system::errc::make_error_code(boost::system::errc::io_error);
    }

    Stream& stream_;
    std::optional<Error> reason_;
};

Error not_http(const ServerAddress& server, const std::string& reason) {
    return make_error(Errc::io, "E1169", server.text() + " gave no answer that can be read.",
                      "It is no iotsky API, or the connection was cut: " + reason + ".",
                      "Check --server; `iotsky status` shows the broker's own addresses.");
}

Result<Stream> connect(const ServerAddress& server) {
    if (server.kind == ServerAddress::Kind::unix_socket) {
        return Stream::connect_unix(server.socket, kConnectTimeout);
    }
    if (server.kind == ServerAddress::Kind::http) {
        return Stream::connect_tcp(server.host, server.port, kConnectTimeout);
    }
    TlsClientOptions tls;
    tls.ca_file = server.ca_file;
    tls.server_name = server.host;
    tls.alpn = "http/1.1";
    return Stream::connect_tls(server.host, server.port, kConnectTimeout, tls);
}

http::request<http::string_body> wire_request(const ServerAddress& server,
                                              const HttpRequest& request) {
    http::request<http::string_body> out;
    out.version(11);
    out.method_string(request.method);
    out.target(request.target);
    out.set(http::field::host, server.kind == ServerAddress::Kind::unix_socket
                                   ? std::string{"localhost"}
                                   : format_endpoint({server.host, server.port}));
    out.set(http::field::connection, "close");
    out.set(http::field::user_agent, "iotsky");
    if (!server.token.empty()) {
        out.set(http::field::authorization, "Bearer " + server.token);
    }
    for (const auto& [name, value] : request.headers) {
        out.set(name, value);
    }
    if (!request.body.empty()) {
        out.set(http::field::content_type, request.content_type);
        out.body() = request.body;
    }
    out.prepare_payload();
    return out;
}

Result<std::uint16_t> parse_port(std::string_view text, std::string_view whole) {
    std::uint16_t port = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (fault != std::errc{} || end != text.data() + text.size() || port == 0) {
        return make_error(Errc::invalid_argument, "E1168",
                          "\"" + escape(whole, 200) + "\" is not a server's address.",
                          "The port is no number from 1 to 65535.",
                          "For example http://127.0.0.1:9880");
    }
    return port;
}

}  // namespace

std::string ServerAddress::text() const {
    return kind == Kind::unix_socket
               ? "unix:" + socket.string()
               : (kind == Kind::https ? "https://" : "http://") + format_endpoint({host, port});
}

Result<ServerAddress> parse_server(std::string_view text) {
    ServerAddress server;
    if (text.starts_with("unix:") || text.starts_with("/")) {
        server.socket = text.starts_with("/") ? text : text.substr(5);
        return server;
    }
    const bool tls = text.starts_with("https://");
    if (!tls && !text.starts_with("http://")) {
        return make_error(
            Errc::invalid_argument, "E1168",
            "\"" + escape(text, 200) + "\" is not a server's address.",
            "The API is reached by http://, https:// or a unix socket.",
            "For example --server http://127.0.0.1:9880 or --server unix:/run/iotsky/admin.sock");
    }
    server.kind = tls ? ServerAddress::Kind::https : ServerAddress::Kind::http;
    std::string_view rest = text.substr(tls ? 8 : 7);
    while (rest.ends_with('/')) {
        rest.remove_suffix(1);
    }
    const std::size_t bracket = rest.rfind(']');
    const std::size_t colon = rest.rfind(':');
    const bool has_port =
        colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    server.port = tls ? 443 : 9880;
    if (has_port) {
        IOTSKY_TRY(port, parse_port(rest.substr(colon + 1), text));
        server.port = port;
        rest = rest.substr(0, colon);
    }
    server.host =
        rest.starts_with('[') && rest.ends_with(']') ? rest.substr(1, rest.size() - 2) : rest;
    if (server.host.empty() || server.host.find('/') != std::string::npos) {
        return make_error(Errc::invalid_argument, "E1168",
                          "\"" + escape(text, 200) + "\" is not a server's address.",
                          "It has no host, or a path behind it.",
                          "For example http://127.0.0.1:9880");
    }
    return server;
}

Result<HttpResponse> send(const ServerAddress& server, const HttpRequest& request) {
    IOTSKY_TRY(stream, connect(server));
    stream.set_timeout(request.timeout);
    BeastStream beast{stream};
    error_code fault;
    http::write(beast, wire_request(server, request), fault);
    // An early answer (413, 401) may come while we still write; it says more than the broken pipe.
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kAnswerBytesMax);
    http::read(beast, buffer, parser, fault);
    if (fault) {
        return beast.reason() && beast.reason()->code == Errc::unavailable
                   ? *beast.reason()
                   : not_http(server, fault.message());
    }
    http::response<http::string_body> answer = parser.release();
    return HttpResponse{answer.result_int(), std::string{answer[http::field::content_type]},
                        std::move(answer.body())};
}

}  // namespace iotsky::apps
