#include "apps/config/config.hpp"

#include <array>
#include <charconv>
#include <cstdlib>

namespace iotsky::apps {

std::string_view to_string(Protocol protocol) noexcept {
    constexpr std::array<std::string_view, 7> kWords{"mqtt", "mqtts", "ws",  "wss",
                                                     "http", "https", "unix"};
    return kWords[static_cast<std::size_t>(protocol)];
}

broker::ConnectionLimits Listener::no_limits() noexcept {
    broker::ConnectionLimits limits;
    limits.pre_connect_bytes_max = 0;
    limits.connect_timeout = {};
    limits.packet_timeout = {};
    limits.stuck_reader_timeout = {};
    limits.packet_bytes_max = 0;
    limits.inflight_max = 0;
    limits.queue_bytes_max = 0;
    limits.queue_messages_max = 0;
    limits.keep_alive_max = {};
    limits.connections_max = 0;
    return limits;
}

bool is_mqtt(const Listener& listener) noexcept {
    return listener.protocol != Protocol::http && listener.protocol != Protocol::unix_socket;
}

bool is_api(const Listener& listener) noexcept {
    return !is_mqtt(listener) || listener.protocol == Protocol::https;
}

net::Protocol net_protocol(Protocol protocol) noexcept {
    switch (protocol) {
        case Protocol::mqtts:
            return net::Protocol::mqtts;
        case Protocol::ws:
            return net::Protocol::ws;
        case Protocol::wss:
            return net::Protocol::wss;
        case Protocol::https:
            return net::Protocol::https;
        case Protocol::mqtt:
        case Protocol::http:
        case Protocol::unix_socket:
            break;
    }
    return net::Protocol::mqtt;
}

bool has_tls(Protocol protocol) noexcept {
    return net::has_tls(net_protocol(protocol));
}

bool has_websocket(Protocol protocol) noexcept {
    return net::has_websocket(net_protocol(protocol));
}

bool takes_tokens(const Listener& listener) noexcept {
    return listener.protocol == Protocol::ws ||
           (has_websocket(listener.protocol) &&
            listener.client_certificate != ClientCertificate::required) ||
           (listener.protocol == Protocol::mqtts &&
            listener.client_certificate == ClientCertificate::optional);
}

std::vector<Listener> default_listeners(const std::filesystem::path& data_dir) {
    Listener mqtts;
    mqtts.name = "mqtts";
    mqtts.bind = "[::]:8883";

    Listener web;
    web.name = "web";
    web.protocol = Protocol::https;
    web.bind = "[::]:8443";
    web.client_certificate = ClientCertificate::optional;

    Listener admin;
    admin.name = "admin";
    admin.protocol = Protocol::http;
    admin.bind = "127.0.0.1:9880";

    Listener socket;
    socket.name = "admin-socket";
    socket.protocol = Protocol::unix_socket;
    // systemd makes this folder for the unit and tells so; without it the socket lies with the
    // data.
    const char* runtime =
        std::getenv("RUNTIME_DIRECTORY");  // NOLINT(concurrency-mt-unsafe): start-up
    socket.path = (runtime != nullptr ? std::filesystem::path{runtime} : data_dir) / "admin.sock";
    return {mqtts, web, admin, socket};
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return std::nullopt;
    }
    Endpoint endpoint;
    const std::string_view port = text.substr(colon + 1);
    const auto [end, fault] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (fault != std::errc{} || end != port.data() + port.size() || port.empty()) {
        return std::nullopt;
    }
    std::string_view host = text.substr(0, colon);
    if (host.front() == '[') {
        if (host.back() != ']' || host.size() < 3) {
            return std::nullopt;
        }
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return std::nullopt;  // an IPv6 address without brackets: where does the port begin?
    }
    endpoint.host = host;
    return endpoint;
}

std::string format_endpoint(const Endpoint& endpoint) {
    const bool v6 = endpoint.host.find(':') != std::string::npos;
    return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

}  // namespace iotsky::apps
