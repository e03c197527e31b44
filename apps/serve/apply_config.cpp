#include "apps/serve/apply_config.hpp"

#include "apps/serve/identity_bridge.hpp"
#include "apps/serve/installation.hpp"
#include "apps/serve/listeners.hpp"
#include "apps/serve/rights_bridge.hpp"
#include "base/log.hpp"
#include "broker/net/data_plane.hpp"

namespace iotsky::apps {

Result<std::vector<std::string>> apply_config(const Config& config, const Reloadable& parts) {
    IOTSKY_TRY(identities, listener_identities(config.listeners));
    // Nothing fails from here on.
    log::configure(config.log.level, config.log.format);
    parts.registry.set_class_defaults(class_settings(config.class_defaults));
    for (const Listener& listener : config.listeners) {
        if (is_mqtt(listener)) {
            parts.plane.change(net_options(listener, config.server.names));
        }
    }
    std::vector<std::string> keys;
    std::vector<std::string> scopes;
    for (const std::string& name : parts.identities.set_listeners(std::move(identities))) {
        keys.push_back("listener." + name + ".anonymous_policy_file");
        scopes.push_back(IdentityBridge::anonymous_scope(name));
    }
    if (!scopes.empty()) {
        parts.rights.on_rights_changed(std::move(scopes), false, [] {});
    }
    return keys;
}

}  // namespace iotsky::apps
