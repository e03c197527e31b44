#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

/// What the HTTP endpoint asks of the program around it: facts of this machine, its configuration.
/// apps/ implements it.
namespace iotsky::api {

/// Where devices connect.
struct Endpoint {
    std::string host;                    ///< the name in the certificate that devices shall use
    std::vector<std::string> addresses;  ///< this machine's, as the certificate has them
    std::uint16_t port = 0;              ///< of the mqtts listener; 0: there is none
};

struct ListenerStatus {
    std::string name;
    std::string protocol;    ///< "mqtts", "http", "unix" ...
    std::string address;     ///< "[::]:8883" or a path
    std::string security;    ///< in words: "TLS, client certificate required"
    std::string durability;  ///< of its sessions: "durable", "relaxed", "memory"; empty: none
    std::string durability_meaning;  ///< in words
};

/// A certificate of this machine.
struct CertificateEnd {
    std::string kind;  ///< "server", "web"
    WallTime not_after{};
};

struct MachineStatus {
    std::string version;   ///< "0.1.0"
    std::string revision;  ///< of the sources; may be empty
    WallTime started_at{};
    Endpoint endpoint;
    std::vector<ListenerStatus> listeners;
    std::string durability_mode;     ///< "durable", "relaxed", "memory"
    std::string durability_meaning;  ///< what an acknowledgement means now, in words
    bool ready = false;
    std::string not_ready_why;
    std::vector<std::string> warnings;  ///< as the banner shows them
    std::vector<CertificateEnd> certificates;
    std::string store_folder;  ///< its free bytes are a metric
};

struct ConfigValue {
    std::string key;         ///< "server.names"
    std::string value_json;  ///< never a secret: those are files
    std::string origin;      ///< "default", a file's name, "IOTSKY_SERVER__NAMES", "flag"
};

struct ReloadReport {
    std::vector<std::string> changed;        ///< keys that changed and are in use now
    std::vector<std::string> needs_restart;  ///< keys that changed and are in use after a restart
};

/// Thread: any (handlers call it on several work threads).
class Machine {
  public:
    virtual ~Machine() = default;
    [[nodiscard]] virtual MachineStatus status() const = 0;
    /// Effective values, in key order.
    [[nodiscard]] virtual std::vector<ConfigValue> config() const = 0;
    /// Reads a configuration without using it. Errors: E11xx with fields "line 3, column 7".
    [[nodiscard]] virtual Result<void> check_config(std::string_view toml) const = 0;
    /// As SIGHUP: all or nothing. Errors: those of check_config; nothing changed then.
    [[nodiscard]] virtual Result<ReloadReport> reload_config() = 0;
};

}  // namespace iotsky::api
