#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/options.hpp"
#include "base/log.hpp"
#include "broker/net/options.hpp"
#include "broker/options.hpp"

/// The configuration as values. Each field is a row of apps/config/table.cpp, which names it,
/// bounds it and describes it; the values here are the defaults.
namespace iotsky::apps {

/// The data folder when nothing names another one.
inline constexpr const char* kSystemData = "/var/lib/iotsky";

/// What is spoken on a listener. The order is that of the words in the table.
enum class Protocol : std::uint8_t { mqtt, mqtts, ws, wss, http, https, unix_socket };
/// The word of the configuration, e.g. "unix".
[[nodiscard]] std::string_view to_string(Protocol protocol) noexcept;

enum class ClientCertificate : std::uint8_t { required, optional, none };
enum class ClientIds : std::uint8_t {
    scoped,  ///< each principal has client identifiers of its own (`decisions.md` 5)
    account  ///< one space for all, as AWS has it
};

/// What an acknowledgement promises to the sessions of a listener.
enum class ListenerDurability : std::uint8_t {
    as_broker,  ///< what [durability] says
    durable,
    relaxed,
    memory
};

/// One [listener.NAME] table.
struct Listener {
    std::string name;
    Protocol protocol = Protocol::mqtts;
    std::string bind;            ///< "host:port", "[v6]:port"; port 0: any free one. Not for unix.
    std::filesystem::path path;  ///< of the socket; unix only
    ClientCertificate client_certificate = ClientCertificate::required;
    std::filesystem::path anonymous_policy_file;  ///< empty: no anonymous clients
    ClientIds client_ids = ClientIds::scoped;
    ListenerDurability durability = ListenerDurability::as_broker;
    bool insecure = false;           ///< plain MQTT on an address that is not loopback
    bool strict_revocation = false;  ///< end TLS with an alert instead of CONNACK 5
    std::string websocket_path = "/mqtt";
    std::vector<std::string> allowed_origins;             ///< of pages that may open a WebSocket
    std::size_t websocket_request_bytes_max = 8U << 10U;  ///< of the head of a request for one
    /// From accept to the end of the TLS handshake and of the request for a WebSocket.
    std::chrono::milliseconds handshake_timeout{5'000};
    /// Failed handshakes and unfinished CONNECTs of one address in a minute.
    std::uint32_t failed_connects_per_minute_per_address = 120;
    std::uint32_t send_low_water_bytes = 128U << 10U;  ///< TCP_NOTSENT_LOWAT
    std::chrono::seconds ticket_lifetime{24 * 3600};   ///< of TLS session tickets
    /// Its own limits; 0: as in [limits].
    broker::ConnectionLimits limits = no_limits();

    [[nodiscard]] static broker::ConnectionLimits no_limits() noexcept;
};

struct ServerOptions {
    std::vector<std::string> names{"iotsky.local"};  ///< DNS names of the server certificate
    std::vector<std::string> addresses;              ///< empty: all addresses of the machine
    std::filesystem::path data_dir{kSystemData};
    std::string site = "iotsky";
};

/// What an acknowledgement promises (decisions 17).
enum class DurabilityMode : std::uint8_t { durable, relaxed, memory };

struct DurabilityOptions {
    DurabilityMode mode = DurabilityMode::durable;
    std::chrono::milliseconds batch_wait_max{200};  ///< of a batch that nobody waits for
    std::chrono::milliseconds retry_every{250};     ///< of a commit that failed
    std::size_t wal_reserve_bytes = 64U << 20U;     ///< kept for a full disk
};

enum class OnDeniedPublish : std::uint8_t { ack, disconnect };

/// Copied into each new class.
struct ClassDefaults {
    bool strict_isolation = false;
    OnDeniedPublish on_denied_publish = OnDeniedPublish::ack;
    std::int64_t things_per_project_max = 5;
    std::int64_t messages_per_second = 10;
    std::int64_t burst = 50;
    std::int64_t payload_bytes_max = std::int64_t{32} * 1024;
    std::int64_t retained_per_thing_max = 50;
    std::int64_t queue_bytes_per_session_max = std::int64_t{256} * 1024;
};

struct MetricsOptions {
    std::size_t things_max = 100;  ///< busiest things that have a line of their own
};

struct CaOptions {
    std::filesystem::path
        passphrase_file;  ///< empty: $CREDENTIALS_DIRECTORY, else keys lie plain (0600)
};

struct BackupOptions {
    std::chrono::seconds every{0};          ///< between automatic backups; 0: none
    std::size_t keep = 7;                   ///< automatic ones, and those before upgrades
    std::filesystem::path passphrase_file;  ///< of both; empty: they are not encrypted
};

struct Config {
    std::int64_t schema = 1;
    ServerOptions server;
    std::vector<Listener> listeners;
    broker::Options broker;
    net::PollerOptions poller;
    std::chrono::milliseconds renewal_interval{60'000};  ///< of a thing's certificate, by itself
    api::ServerOptions api;  ///< listeners and host names come from elsewhere
    DurabilityOptions durability;
    ClassDefaults class_defaults;
    CaOptions ca;
    MetricsOptions metrics;
    BackupOptions backup;
    log::Options log;
};

/// Whether MQTT clients come in by it: mqtt, mqtts, ws, wss, https.
[[nodiscard]] bool is_mqtt(const Listener& listener) noexcept;
/// Whether it serves the API: http, https, unix.
[[nodiscard]] bool is_api(const Listener& listener) noexcept;
/// What its sockets speak; mqtt for http and unix, which are not the data plane's.
[[nodiscard]] net::Protocol net_protocol(Protocol protocol) noexcept;
[[nodiscard]] bool has_tls(Protocol protocol) noexcept;
[[nodiscard]] bool has_websocket(Protocol protocol) noexcept;
/// Whether a client without a certificate may show a token of the API as its password.
[[nodiscard]] bool takes_tokens(const Listener& listener) noexcept;

/// mqtts on [::]:8883, web https on [::]:8443, admin http on 127.0.0.1:9880 and the unix socket
/// `admin.sock` (decisions 13).
[[nodiscard]] std::vector<Listener> default_listeners(const std::filesystem::path& data_dir);

/// Host and port of `bind`.
struct Endpoint {
    std::string host;
    std::uint16_t port = 0;
};

/// "127.0.0.1:8883", "[::1]:0", "localhost:8883"; nullopt for anything else.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text);
/// "[::1]:8883" when the host is an IPv6 address.
[[nodiscard]] std::string format_endpoint(const Endpoint& endpoint);

}  // namespace iotsky::apps
