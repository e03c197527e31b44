#pragma once

#include <memory>
#include <vector>

#include "apps/config/config.hpp"
#include "apps/serve/endpoints.hpp"
#include "base/error.hpp"
#include "broker/net/web_connection.hpp"

namespace iotsky::api {
class Server;
}
namespace iotsky::net {
class DataPlane;
class HandshakeDoctor;
}  // namespace iotsky::net

namespace iotsky::apps {

class ServerTls;

/// Who serves what comes in; all outlive the listeners.
struct ListenerParts {
    const Config& config;
    ServerTls& tls;
    std::shared_ptr<net::HandshakeDoctor> doctor;
    net::DataPlane& plane;
    unsigned threads;  ///< io threads
    net::WebHandler web;
    api::Server& api;
};

/// Opens all listeners of the configuration, those of MQTT first: from then on clients come in.
/// @return what is open. Errors: those of net::Listener::bind, TlsContext and api::Server::start;
/// what was opened before stays open. Thread: control.
[[nodiscard]] Result<std::vector<OpenListener>> open_listeners(const ListenerParts& parts);

}  // namespace iotsky::apps
