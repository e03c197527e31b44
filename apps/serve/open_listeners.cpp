#include "apps/serve/open_listeners.hpp"

#include <algorithm>

#include "api/server.hpp"
#include "apps/serve/banner.hpp"
#include "apps/serve/listeners.hpp"
#include "apps/serve/server_tls.hpp"
#include "broker/net/data_plane.hpp"
#include "broker/net/listener.hpp"

namespace iotsky::apps {
namespace {

Result<OpenListener> open_mqtt(const Listener& listener, const ListenerParts& parts) {
    net::Listener::Parts of_net;
    of_net.doctor = parts.doctor;
    if (has_tls(listener.protocol)) {
        IOTSKY_TRY(slot, parts.tls.slot_for(listener));
        of_net.slot = std::move(slot);
    }
    if (listener.protocol == Protocol::https) {
        of_net.web = parts.web;
    }
    IOTSKY_TRY(bound, net::Listener::bind(net_options(listener, parts.config.server.names),
                                          parts.threads, of_net));
    OpenListener open{listener.name,
                      std::string{to_string(listener.protocol)},
                      bound.host(),
                      bound.port(),
                      "",
                      security_words(listener)};
    parts.plane.serve(std::move(bound));
    return open;
}

OpenListener opened(const api::BoundListener& bound, const std::vector<Listener>& listeners) {
    const Listener& listener = *std::ranges::find(listeners, bound.name, &Listener::name);
    return {bound.name, std::string{to_string(listener.protocol)},
            bound.host, bound.port,
            bound.path, security_words(listener)};
}

}  // namespace

Result<std::vector<OpenListener>> open_listeners(const ListenerParts& parts) {
    const std::vector<Listener>& listeners = parts.config.listeners;
    std::vector<OpenListener> open;
    for (const Listener& listener : listeners) {
        if (is_mqtt(listener)) {
            IOTSKY_TRY(one, open_mqtt(listener, parts));
            open.push_back(std::move(one));
        }
    }
    IOTSKY_TRY(bound, parts.api.start());
    for (const api::BoundListener& one : bound) {
        open.push_back(opened(one, listeners));
    }
    return open;
}

}  // namespace iotsky::apps
