#include "broker/net/ws_upgrade.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include "base/ascii.hpp"
#include "base/bytes.hpp"
#include "base/host.hpp"
#include "base/text.hpp"

namespace iotsky::net {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using Parser = http::request_parser<http::empty_body>;
using Request = Parser::value_type;

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kVersion = "13";
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kKeyBytes = 16;
constexpr std::size_t kKeyDigits = 24;  // base64 of 16 bytes

// In the order in which we like them. The second is what clients of MQTT 3.1 ask for.
constexpr std::array<std::string_view, 2> kProtocols{"mqtt", "mqttv3.1"};

struct Refusal {
    HandshakeFault fault;
    http::status status;
    std::string why;
};

using Checked = std::optional<Refusal>;

Refusal bad_request(std::string why, http::status status = http::status::bad_request) {
    return {HandshakeFault::ws_request, status, std::move(why)};
}

std::string_view view(beast::string_view text) {
    return {text.data(), text.size()};
}

/// Whether the field's comma-separated list holds `word`, in any case.
bool lists(const Request& request, http::field field, std::string_view word) {
    const auto [begin, end] = request.equal_range(field);
    return std::any_of(begin, end, [&](const auto& line) {
        return http::token_list{line.value()}.exists({word.data(), word.size()});
    });
}

std::string_view without_query(std::string_view target) {
    return target.substr(0, target.find('?'));
}

Checked check_method(const Request& request, const WsOptions& options) {
    if (request.method() != http::verb::get || request.version() != 11) {
        return bad_request("it is not a GET of HTTP/1.1");
    }
    if (without_query(view(request.target())) != options.path) {
        return bad_request("MQTT is served at " + options.path + " only", http::status::not_found);
    }
    if (request.count(http::field::host) != 1) {
        return bad_request("it has no Host, or several");
    }
    if (request.count(http::field::content_length) != 0 ||
        request.count(http::field::transfer_encoding) != 0) {
        return bad_request("a request for a WebSocket has no body");
    }
    return std::nullopt;
}

Checked check_upgrade(const Request& request) {
    if (!lists(request, http::field::connection, "upgrade") ||
        !lists(request, http::field::upgrade, "websocket")) {
        return bad_request("it does not ask for a WebSocket (Connection: Upgrade)",
                           http::status::upgrade_required);
    }
    if (view(request[http::field::sec_websocket_version]) != kVersion) {
        return bad_request("its Sec-WebSocket-Version is not 13", http::status::upgrade_required);
    }
    return std::nullopt;
}

Checked check_key(const Request& request) {
    const std::string_view key = view(request[http::field::sec_websocket_key]);
    std::array<unsigned char, kKeyDigits> bytes{};
    const auto* const digits = reinterpret_cast<const unsigned char*>(key.data());
    // "==" are the two bytes that base64 fills up with.
    if (request.count(http::field::sec_websocket_key) != 1 || key.size() != kKeyDigits ||
        !key.ends_with("==") ||
        EVP_DecodeBlock(bytes.data(), digits, static_cast<int>(kKeyDigits)) !=
            static_cast<int>(kKeyBytes + 2)) {
        return bad_request("its Sec-WebSocket-Key is not 16 bytes in base64");
    }
    return std::nullopt;
}

/// "https://broker.local:8443" without what the scheme says already.
struct Origin {
    std::string_view scheme;
    std::string host;  ///< with a port that is not the scheme's own; lower case
};

std::string without_default_port(std::string_view host, bool tls) {
    const std::string_view port = tls ? ":443" : ":80";
    if (host.ends_with(port)) {
        host.remove_suffix(port.size());
    }
    return ascii_lower(host);
}

std::optional<Origin> parse_origin(std::string_view text) {
    const std::size_t at = text.find("://");
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view scheme = text.substr(0, at);
    return Origin{scheme, without_default_port(text.substr(at + 3), scheme == "https")};
}

/// A name of ours: whoever makes another name point here (DNS rebinding) gets no page of his in.
bool is_our_name(const std::string& host, const WsOptions& options) {
    const std::string name = host_name(host);
    return name == "localhost" || is_address(name) ||
           std::ranges::find(options.host_names, name) != options.host_names.end();
}

/// Only browsers send an Origin, and they do it for every page: any page that the teacher looks at
/// could otherwise speak MQTT from inside the network.
Checked check_origin(const Request& request, const WsOptions& options, bool tls) {
    if (request.count(http::field::origin) == 0) {
        return std::nullopt;
    }
    const std::string_view text = view(request[http::field::origin]);
    if (std::ranges::find(options.allowed_origins, ascii_lower(text)) !=
        options.allowed_origins.end()) {
        return std::nullopt;
    }
    const std::string host = without_default_port(view(request[http::field::host]), tls);
    const auto origin = parse_origin(text);
    // Behind TLS no page in clear; without it Paho's Python client says https all the same.
    const bool scheme = origin && (origin->scheme == "https" || (!tls && origin->scheme == "http"));
    if (scheme && origin->host == host && is_our_name(host, options)) {
        return std::nullopt;
    }
    return Refusal{HandshakeFault::ws_origin, http::status::forbidden,
                   "pages of " + escape(text, 128) + " may not open it"};
}

/// The first of ours that the client offers; none: it offers no MQTT.
std::optional<std::string_view> choose_protocol(const Request& request) {
    const auto [begin, end] = request.equal_range(http::field::sec_websocket_protocol);
    for (const std::string_view ours : kProtocols) {
        for (auto line = begin; line != end; ++line) {
            for (const auto& offered : http::token_list{line->value()}) {
                if (view(offered) == ours) {
                    return ours;
                }
            }
        }
    }
    return std::nullopt;
}

std::string accept_of(std::string_view key) {
    const std::string text = std::string{key} + std::string{kGuid};
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr);
    std::array<unsigned char, 64> digits{};
    const int n = EVP_EncodeBlock(digits.data(), digest.data(), static_cast<int>(length));
    return {reinterpret_cast<const char*>(digits.data()), static_cast<std::size_t>(n)};
}

WsAnswer refused(Refusal refusal) {
    const std::string body = "No MQTT over WebSocket: " + refusal.why + ".\n";
    WsAnswer answer;
    answer.text = "HTTP/1.1 " + std::to_string(static_cast<unsigned>(refusal.status)) + " " +
                  std::string{view(http::obsolete_reason(refusal.status))} +
                  "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " +
                  std::to_string(body.size()) + "\r\nConnection: close\r\n";
    if (refusal.status == http::status::upgrade_required) {
        answer.text +=
            "Upgrade: websocket\r\nSec-WebSocket-Version: " + std::string{kVersion} + "\r\n";
    }
    answer.text += "\r\n" + body;
    answer.fault = refusal.fault;
    answer.detail = std::move(refusal.why);
    return answer;
}

/// No extension is ever agreed on: permessage-deflate would cost memory per connection, and what
/// it saves on short messages is little.
WsAnswer upgraded(const Request& request, std::string_view protocol) {
    WsAnswer answer;
    answer.text =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
        accept_of(view(request[http::field::sec_websocket_key])) +
        "\r\nSec-WebSocket-Protocol: " + std::string{protocol} + "\r\n\r\n";
    return answer;
}

}  // namespace

std::optional<std::size_t> http_head_bytes(std::span<const std::byte> in) noexcept {
    const std::size_t at = as_text(in).find(kHeadEnd);
    return at == std::string_view::npos ? std::nullopt : std::optional{at + kHeadEnd.size()};
}

WsTarget ws_target(std::span<const std::byte> in, std::string_view path) noexcept {
    constexpr std::string_view kGet = "GET ";
    const std::string_view text = as_text(in);
    const auto begins = [](std::string_view whole, std::string_view part) {
        return whole.substr(0, part.size()) == part.substr(0, whole.size());
    };
    if (!begins(text, kGet)) {
        return WsTarget::other;
    }
    if (text.size() <= kGet.size()) {
        return WsTarget::undecided;
    }
    const std::string_view target = text.substr(kGet.size());
    if (!begins(target, path)) {
        return WsTarget::other;
    }
    if (target.size() <= path.size()) {
        return WsTarget::undecided;
    }
    const char next = target[path.size()];
    return next == ' ' || next == '?' ? WsTarget::mqtt : WsTarget::other;
}

WsAnswer answer_upgrade(std::string_view head, const WsOptions& options, bool tls) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(head.size()) + 1);
    boost::system::error_code error;
    parser.put(boost::asio::buffer(head.data(), head.size()), error);
    if (error || !parser.is_header_done()) {
        return refused(bad_request("it is not HTTP (" + error.message() + ")"));
    }
    const Request& request = parser.get();
    Checked refusal = check_method(request, options);
    refusal = refusal ? refusal : check_upgrade(request);
    refusal = refusal ? refusal : check_key(request);
    refusal = refusal ? refusal : check_origin(request, options, tls);
    if (refusal) {
        return refused(std::move(*refusal));
    }
    const auto protocol = choose_protocol(request);  // [MQTT-6.0.0-4]
    if (!protocol) {
        return refused({HandshakeFault::ws_subprotocol, http::status::bad_request,
                        "it does not offer the sub-protocol mqtt (Sec-WebSocket-Protocol)"});
    }
    return upgraded(request, *protocol);
}

WsAnswer head_too_long(std::size_t bytes_max) {
    return refused(bad_request("its head has more than " + std::to_string(bytes_max) + " bytes",
                               http::status::request_header_fields_too_large));
}

}  // namespace iotsky::net
