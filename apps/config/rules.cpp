#include "apps/config/rules.hpp"

#include <algorithm>

#include "apps/config/problems.hpp"
#include "apps/config/table.hpp"
#include "apps/config/value_text.hpp"
#include "base/host.hpp"
#include "base/text.hpp"

namespace iotsky::apps {
namespace {

bool is_dns_name(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.';
    };
    return !name.empty() && name.size() <= 253 && name.front() != '.' && name.front() != '-' &&
           std::all_of(name.begin(), name.end(), allowed);
}

bool is_site(std::string_view site) {
    const auto allowed = [](char c) { return is_valid_name({&c, 1}) || c == '.'; };
    return !site.empty() && site.size() <= 32 && std::all_of(site.begin(), site.end(), allowed);
}

/// Applies the rules to one configuration.
class Rules {
  public:
    explicit Rules(const Loaded& loaded) : loaded_(loaded) {}

    Result<std::vector<Error>> run() {
        server();
        limits();
        for (const Listener& listener : loaded_.config.listeners) {
            one_listener(listener);
        }
        if (std::none_of(loaded_.config.listeners.begin(), loaded_.config.listeners.end(),
                         is_api)) {
            warn("W1149", "No listener serves the API.",
                 "The verbs of iotsky cannot reach this broker.",
                 "Add [listener.admin] protocol = \"unix\", path = \"admin.sock\".");
        }
        if (!problems_.empty()) {
            return problems_.error();
        }
        return std::move(warnings_);
    }

  private:
    void server();
    void limits();
    void one_listener(const Listener& listener);
    void address_of(const Listener& listener);
    void exposure(const Listener& listener, const Endpoint& endpoint);
    void clients_of(const Listener& listener);
    void limits_of(const Listener& listener);
    void websocket_of(const Listener& listener);
    void durability_of(const Listener& listener);

    [[nodiscard]] std::string where(const std::string& key) const {
        return origin_of(loaded_, key);
    }
    [[nodiscard]] std::string where(const Listener& listener, std::string_view key) const {
        const std::string name = "listener." + listener.name;
        const std::string full = name + "." + std::string{key};
        return loaded_.origins.contains(full) ? where(full) : where(name);
    }
    void refuse(const std::string& at, const std::string& what, std::string why, std::string how) {
        problems_.add(at, "E1155", what, std::move(why), std::move(how));
    }
    void warn(std::string_view number, std::string what, std::string why, std::string how) {
        warnings_.push_back(make_error(Errc::invalid_argument, number, std::move(what),
                                       std::move(why), std::move(how)));
    }

    const Loaded& loaded_;
    Problems problems_;
    std::vector<Error> warnings_;
};

void Rules::server() {
    const ServerOptions& server = loaded_.config.server;
    if (server.names.empty()) {
        refuse(where("server.names"), "server.names is empty.",
               "Devices check the name that they connect to.",
               "Give at least one, for example names = [\"iotsky.local\"].");
    }
    for (const std::string& name : server.names) {
        if (!is_dns_name(name)) {
            refuse(where("server.names"), "\"" + escape(name, 64) + "\" is not a DNS name.",
                   "The server certificate carries these names.",
                   is_address(name) ? "Move it to server.addresses."
                                    : "Use letters, digits, - and dots.");
        }
    }
    for (const std::string& address : server.addresses) {
        if (!is_address(address)) {
            refuse(where("server.addresses"),
                   "\"" + escape(address, 64) + "\" is not an IP address.",
                   "The server certificate carries these addresses.",
                   "Write it as 10.20.0.5 or 2001:db8::5; names belong to server.names.");
        }
    }
    if (server.data_dir.empty()) {
        refuse(where("server.data_dir"), "server.data_dir is empty.",
               "The registry and the CA need a folder.", "Name one, or give --data DIR.");
    }
    if (!is_site(server.site)) {
        refuse(where("server.site"),
               "server.site = \"" + escape(server.site, 64) + "\" cannot be used.",
               "It becomes a part of certificate names.", "Use 1 to 32 of A-Z a-z 0-9 _ . -.");
    }
}

void Rules::limits() {
    const broker::Limits& limits = loaded_.config.broker.limits;
    if (limits.out_hard_bytes < limits.out_soft_bytes) {
        refuse(where("limits.out_hard_bytes"),
               "limits.out_hard_bytes is below limits.out_soft_bytes.",
               "The hard mark drops messages, the soft one only waits.",
               "Make the hard mark the larger one.");
    }
}

void Rules::address_of(const Listener& listener) {
    if (listener.protocol == Protocol::unix_socket) {
        if (listener.path.empty() || !listener.bind.empty()) {
            refuse(where(listener, "path"), "A unix listener needs path, and no bind.",
                   "It is a socket file, not a port.", "Write path = \"admin.sock\".");
        }
        return;
    }
    const auto endpoint = parse_endpoint(listener.bind);
    if (!endpoint || !listener.path.empty()) {
        refuse(
            where(listener, "bind"),
            "[listener." + listener.name + "] bind = \"" + escape(listener.bind, 64) +
                "\" is not an address.",
            "A listener needs `host:port`, and no path.",
            "For example bind = \"127.0.0.1:1883\" or \"[::]:8883\"; port 0 takes any free one.");
        return;
    }
    exposure(listener, *endpoint);
}

void Rules::exposure(const Listener& listener, const Endpoint& endpoint) {
    if (is_loopback(endpoint.host) || has_tls(listener.protocol)) {
        return;
    }
    const std::string what =
        listener.protocol == Protocol::ws ? "MQTT without TLS over WebSocket" : "plain MQTT";
    const std::string with_tls = listener.protocol == Protocol::ws ? "\"wss\"" : "\"mqtts\"";
    if (listener.protocol == Protocol::http) {
        refuse(
            where(listener, "bind"),
            "[listener." + listener.name + "] offers the API without TLS on " + listener.bind + ".",
            "Tokens and keys would cross the network readable.",
            "Bind it to 127.0.0.1 and reach it through ssh -L, or use a unix socket.");
    } else if (!listener.insecure) {
        refuse(where(listener, "bind"),
               "[listener." + listener.name + "] offers " + what + " on " + listener.bind + ".",
               "Everybody on the way could read and change the messages.",
               "Use protocol = " + with_tls +
                   ", bind it to 127.0.0.1, or accept it with insecure = true.");
    } else {
        warn("W1147",
             "[listener." + listener.name + "] offers " + what + " on " + listener.bind + ".",
             "Everybody on the way can read and change the messages (insecure = true allows it).",
             "Use protocol = " + with_tls + " for anything but a test.");
    }
}

void Rules::clients_of(const Listener& listener) {
    if (!is_mqtt(listener)) {
        if (!listener.anonymous_policy_file.empty()) {
            refuse(where(listener, "anonymous_policy_file"),
                   "anonymous_policy_file is for listeners that MQTT clients use.",
                   "The API knows no anonymous callers.", "Remove the line.");
        }
        return;
    }
    const bool shows_certificate =
        has_tls(listener.protocol) && listener.client_certificate != ClientCertificate::none;
    if (!shows_certificate && !takes_tokens(listener) && listener.anonymous_policy_file.empty()) {
        warn("W1148", "[listener." + listener.name + "] refuses every client.",
             "Without a certificate and without a policy for anonymous clients nobody has rights.",
             "Set anonymous_policy_file, or use mqtts with client_certificate = \"required\".");
    }
    if (has_tls(listener.protocol) && listener.client_certificate == ClientCertificate::required &&
        !listener.anonymous_policy_file.empty()) {
        refuse(where(listener, "anonymous_policy_file"),
               "[listener." + listener.name +
                   "] names a policy for anonymous clients but requires certificates.",
               "No client could ever use it.",
               "Set client_certificate = \"optional\", or remove the policy.");
    }
}

void Rules::websocket_of(const Listener& listener) {
    if (!has_websocket(listener.protocol) && !listener.allowed_origins.empty()) {
        refuse(where(listener, "allowed_origins"),
               "allowed_origins is for ws, wss and https listeners.",
               "[listener." + listener.name + "] serves no WebSocket.", "Remove the line.");
    }
    const std::string& path = listener.websocket_path;
    if (!path.starts_with('/') || path.size() > 128 ||
        path.find_first_of(" ?#%\"\\\r\n\t") != std::string::npos) {
        refuse(where(listener, "websocket_path"),
               "websocket_path = \"" + escape(path, 64) + "\" is not a path.",
               "It begins with / and has up to 128 characters, none of them a blank, ?, #, % or a "
               "quote.",
               "Leave the line out for \"/mqtt\".");
    }
    if (listener.protocol == Protocol::https &&
        (path == "/" || path.starts_with("/api") || path == "/ca.crt" ||
         path.starts_with("/health") || path == "/metrics")) {
        refuse(where(listener, "websocket_path"),
               "websocket_path = \"" + escape(path, 64) + "\" is a path of the API.",
               "The same listener serves both.", "Leave the line out for \"/mqtt\".");
    }
    for (const std::string& origin : listener.allowed_origins) {
        const std::size_t host = origin.find("://");
        const bool scheme = origin.starts_with("https://") || origin.starts_with("http://");
        if (origin != "null" && (!scheme || origin.find('/', host + 3) != std::string::npos)) {
            refuse(where(listener, "allowed_origins"),
                   "\"" + escape(origin, 64) + "\" is not the origin of a web page.",
                   "Browsers send scheme, name and port, without a path.",
                   "Write it as https://board.school.example or http://localhost:5173.");
        }
    }
}

/// A limit of its own keeps to the range of the same key of [limits]; 0 means that it has none.
void Rules::limits_of(const Listener& listener) {
    for (const Setting<Listener>& own : listener_settings()) {
        const Setting<Config>* common = find_limit(own.key);
        if (common == nullptr) {
            continue;
        }
        const auto value = std::get<std::int64_t>(own.get(listener));
        const auto at_least = common->range.min;
        if (value != 0 && value < at_least) {
            refuse(where(listener, own.key),
                   "[listener." + listener.name + "] " + std::string{own.key} + " is too low.",
                   "It takes " + format_toml(at_least, own.kind) +
                       " or more, or 0 for the value in [limits].",
                   "Choose a higher value, or leave the line out.");
        } else if (value != 0 && !is_mqtt(listener)) {
            refuse(where(listener, own.key),
                   std::string{own.key} + " is for listeners that MQTT clients use.",
                   "[listener." + listener.name + "] serves the API.", "Remove the line.");
        }
    }
}

void Rules::durability_of(const Listener& listener) {
    const bool in_memory = loaded_.config.durability.mode == DurabilityMode::memory;
    const bool on_disk = listener.durability == ListenerDurability::durable ||
                         listener.durability == ListenerDurability::relaxed;
    if (in_memory && on_disk) {
        refuse(
            where(listener, "durability"),
            "[listener." + listener.name + "] wants the disk, but durability.mode is \"memory\".",
            "In that mode the broker has no message store.",
            "Set durability.mode = \"durable\", and \"memory\" at the other listeners.");
    }
}

void Rules::one_listener(const Listener& listener) {
    address_of(listener);
    clients_of(listener);
    websocket_of(listener);
    limits_of(listener);
    durability_of(listener);
}

}  // namespace

Result<std::vector<Error>> check_rules(const Loaded& loaded) {
    return Rules{loaded}.run();
}

}  // namespace iotsky::apps
