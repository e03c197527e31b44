#pragma once

#include <string>
#include <vector>

#include "api/options.hpp"
#include "apps/config/config.hpp"
#include "apps/serve/identity_bridge.hpp"
#include "base/error.hpp"
#include "broker/net/options.hpp"

/// The configured listeners as the parts that open them want them.
namespace iotsky::apps {

/// What the sessions of a listener are promised: its own word, else [durability].
[[nodiscard]] DurabilityMode durability_of(const Listener& listener, const Config& config) noexcept;
/// The strictest of [durability] and all listeners: what the message store has to keep.
[[nodiscard]] DurabilityMode strictest_durability(const Config& config) noexcept;

/// Of a listener that MQTT clients use; `names` are the machine's ([server] names).
[[nodiscard]] net::ListenerOptions net_options(const Listener& listener,
                                               const std::vector<std::string>& names);
/// The broker's options, with what those listeners say themselves.
[[nodiscard]] broker::Options broker_options(const Config& config);
/// Of the http and unix listeners; what comes by https is handed to the API (WebBridge).
[[nodiscard]] std::vector<api::ListenerOptions> api_options(const std::vector<Listener>& listeners);

/// What a listener says about who may come in; reads its policy for anonymous clients. Error: E1158
/// naming the file and the place in it.
[[nodiscard]] Result<ListenerIdentity> listener_identity(const Listener& listener);
/// Those of all listeners that MQTT clients use, by name.
[[nodiscard]] Result<ListenerIdentities> listener_identities(
    const std::vector<Listener>& listeners);

}  // namespace iotsky::apps
