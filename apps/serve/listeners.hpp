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

[[nodiscard]] bool is_mqtt(const Listener& listener) noexcept;

/// Of a mqtt or mqtts listener.
[[nodiscard]] net::ListenerOptions net_options(const Listener& listener);
/// The broker's options, with what the mqtt and mqtts listeners say themselves.
[[nodiscard]] broker::Options broker_options(const Config& config);
/// Of the http and unix listeners.
[[nodiscard]] std::vector<api::ListenerOptions> api_options(const std::vector<Listener>& listeners);

/// Reads the policy for anonymous clients of a mqtt or mqtts listener. Error: E1158 naming the file
/// and the place in it.
[[nodiscard]] Result<ListenerIdentity> listener_identity(const Listener& listener);
/// Those of all mqtt and mqtts listeners, by name.
[[nodiscard]] Result<ListenerIdentities> listener_identities(
    const std::vector<Listener>& listeners);

}  // namespace iotsky::apps
