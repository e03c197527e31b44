#include "broker/net/ws_upgrade.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

using namespace iotsky;
using namespace iotsky::net;

namespace {

constexpr std::string_view kHead =
    "GET /mqtt HTTP/1.1\r\n"
    "Host: iotsky.local:8443\r\n"
    "Upgrade: websocket\r\n"
    "Connection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: mqtt\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "\r\n";

/// kHead with `from` in place of `to`; adds `extra` lines.
std::string head(std::string_view from = {}, std::string_view to = {}, std::string extra = {}) {
    std::string out{kHead};
    if (!from.empty()) {
        const std::size_t at = out.find(from);
        REQUIRE(at != std::string::npos);
        out.replace(at, from.size(), to);
    }
    out.insert(out.size() - 2, extra);
    return out;
}

WsOptions options() {
    WsOptions out;
    out.host_names = {"iotsky.local"};
    out.allowed_origins = {"https://board.school.example", "null"};
    return out;
}

WsAnswer ask(const std::string& text, bool tls = true) {
    return answer_upgrade(text, options(), tls);
}

std::string status(const WsAnswer& answer) {
    return answer.text.substr(9, 3);
}

}  // namespace

TEST_SUITE("net.ws_upgrade") {
    TEST_CASE("the example of RFC 6455 gets its accept value") {
        const WsAnswer answer = ask(head());
        CHECK_FALSE(answer.fault.has_value());
        CHECK(answer.text ==
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
              "Sec-WebSocket-Protocol: mqtt\r\n\r\n");
    }
    TEST_CASE("[MQTT-6.0.0-4] of the protocols that a client lists, mqtt is chosen") {
        struct Row {
            std::string_view offered;
            std::string_view chosen;
        };
        for (const Row row : std::vector<Row>{
                 {"mqtt", "mqtt"},
                 {"chat, mqttv3.1 ,mqtt", "mqtt"},
                 {"mqttv3.1", "mqttv3.1"},
                 {"chat\r\nSec-WebSocket-Protocol: mqtt", "mqtt"},
             }) {
            CAPTURE(row.offered);
            const WsAnswer answer =
                ask(head("Protocol: mqtt", "Protocol: " + std::string{row.offered}));
            CHECK(answer.text.find("Sec-WebSocket-Protocol: " + std::string{row.chosen} + "\r\n") !=
                  std::string::npos);
        }
    }
    TEST_CASE("[MQTT-6.0.0-3] who offers no protocol of ours gets 400, in words") {
        for (const std::string& text :
             {head("Protocol: mqtt", "Protocol: mqtt2, MQTT"),
              head("Sec-WebSocket-Protocol: mqtt\r\n"), head("Protocol: mqtt", "Protocol: ,")}) {
            const WsAnswer answer = ask(text);
            CHECK(status(answer) == "400");
            CHECK(answer.fault == HandshakeFault::ws_subprotocol);
            CHECK(answer.text.find("sub-protocol mqtt") != std::string::npos);
        }
    }
    TEST_CASE("a request that is none for a WebSocket is refused with the fitting status") {
        struct Row {
            std::string text;
            std::string_view status;
        };
        const std::vector<Row> rows{
            {head("GET", "POST"), "400"},
            {head("HTTP/1.1", "HTTP/1.0"), "400"},
            {head("/mqtt", "/mqtt2"), "404"},
            {head("/mqtt", "/"), "404"},
            {head("Host: iotsky.local:8443\r\n"), "400"},
            {head({}, {}, "Host: other\r\n"), "400"},
            {head({}, {}, "Content-Length: 5\r\n"), "400"},
            {head({}, {}, "Transfer-Encoding: chunked\r\n"), "400"},
            {head("Upgrade: websocket\r\n"), "426"},
            {head("Upgrade: websocket", "Upgrade: h2c"), "426"},
            {head(", Upgrade\r\n", "\r\n"), "426"},
            {head("Version: 13", "Version: 8"), "426"},
            {head("Sec-WebSocket-Version: 13\r\n"), "426"},
            {head("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), "400"},
            {head("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="), "400"},
            {head("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSEh"), "400"},
            {head("dGhlIHNhbXBsZSBub25jZQ==", "####IHNhbXBsZSBub25jZQ=="), "400"},
            {head("GET /mqtt", "GET  /mqtt"), "400"},
            {"", "400"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.text);
            const WsAnswer answer = ask(row.text);
            CHECK(status(answer) == row.status);
            CHECK(answer.fault == HandshakeFault::ws_request);
            CHECK_FALSE(answer.detail.empty());
            CHECK(answer.text.find("Connection: close\r\n") != std::string::npos);
        }
        CHECK(ask(head("Version: 13", "Version: 8")).text.find("Sec-WebSocket-Version: 13\r\n") !=
              std::string::npos);
    }
    TEST_CASE("a query behind the path is no fault, as clients send tokens and the like") {
        CHECK_FALSE(ask(head("/mqtt", "/mqtt?x=1")).fault.has_value());
    }
    TEST_CASE("no extension is agreed on, whatever is offered") {
        const WsAnswer answer =
            ask(head({}, {}, "Sec-WebSocket-Extensions: permessage-deflate\r\n"));
        CHECK(status(answer) == "101");
        CHECK(answer.text.find("Extensions") == std::string::npos);
    }
    TEST_CASE("pages of this machine may open it, and those that are listed") {
        struct Row {
            std::string host;
            std::string origin;
            bool tls;
        };
        for (const Row& row : std::vector<Row>{
                 {"iotsky.local:8443", "https://iotsky.local:8443", true},
                 {"IOTSKY.local:8443", "https://iotsky.LOCAL:8443", true},
                 {"iotsky.local", "https://iotsky.local", true},
                 {"iotsky.local:443", "https://iotsky.local", true},
                 {"10.20.0.5:8443", "https://10.20.0.5:8443", true},
                 {"[fe80::1]:8443", "https://[fe80::1]:8443", true},
                 {"localhost:8080", "http://localhost:8080", false},
                 {"localhost:8080", "https://localhost:8080", false},
                 {"iotsky.local:8443", "https://board.school.example", true},
                 {"iotsky.local:8443", "HTTPS://Board.school.example", true},
                 {"iotsky.local:8443", "null", true},
             }) {
            CAPTURE(row.origin);
            const std::string text = head("Host: iotsky.local:8443", "Host: " + row.host,
                                          "Origin: " + row.origin + "\r\n");
            CHECK_FALSE(ask(text, row.tls).fault.has_value());
        }
    }
    TEST_CASE("pages of other sites may not, also not under a name that points here") {
        struct Row {
            std::string host;
            std::string origin;
        };
        for (const Row& row : std::vector<Row>{
                 {"iotsky.local:8443", "https://evil.example"},
                 {"iotsky.local:8443", "https://iotsky.local"},
                 {"iotsky.local:8443", "http://iotsky.local:8443"},
                 {"iotsky.local:8443", "https://iotsky.local:8443.evil.example"},
                 {"iotsky.local:8443", "iotsky.local:8443"},
                 {"iotsky.local:8443", ""},
                 {"evil.example:8443", "https://evil.example:8443"},  // DNS rebinding
                 {"10.0.0.1.evil.example", "https://10.0.0.1.evil.example"},
             }) {
            CAPTURE(row.origin);
            const WsAnswer answer = ask(head("Host: iotsky.local:8443", "Host: " + row.host,
                                             "Origin: " + row.origin + "\r\n"));
            CHECK(status(answer) == "403");
            CHECK(answer.fault == HandshakeFault::ws_origin);
        }
    }
    TEST_CASE("the first bytes tell whether a request is for MQTT") {
        const auto target = [](std::string_view text) {
            return ws_target(as_bytes(text), "/mqtt");
        };
        const std::string whole{kHead};
        for (std::size_t n = 1; n < 9; ++n) {
            CAPTURE(n);
            CHECK(target(whole.substr(0, n)) == WsTarget::undecided);
        }
        CHECK(target("GET /mqtt ") == WsTarget::mqtt);
        CHECK(target("GET /mqtt?a") == WsTarget::mqtt);
        for (const char* text :
             {"P", "GET /mqtt2", "GET /mqtt/", "GET /api", "GET  ", "get /mqtt "}) {
            CAPTURE(text);
            CHECK(target(text) == WsTarget::other);
        }
    }
    TEST_CASE("a head ends behind its empty line") {
        CHECK_FALSE(http_head_bytes(as_bytes("GET / HTTP/1.1\r\n\r")).has_value());
        CHECK(http_head_bytes(as_bytes("GET / HTTP/1.1\r\n\r\nrest")) == 18);
    }
}
