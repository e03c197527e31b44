#pragma once

#include <functional>
#include <string>
#include <vector>

#include "provisioning/rights_listener.hpp"

namespace iotsky::broker {
class Broker;
}

namespace iotsky::apps {

class IdentityBridge;

/// Tells the broker whose rights changed, on the control lanes of all io threads. Immutable; any
/// thread.
class RightsBridge final : public provisioning::RightsListener {
  public:
    /// Both outlive the bridge.
    RightsBridge(broker::Broker& broker, const IdentityBridge& identities)
        : broker_(broker), identities_(identities) {}

    void on_rights_changed(std::vector<std::string> scopes, bool revoked,
                           std::function<void()> done) override;

  private:
    broker::Broker& broker_;
    const IdentityBridge& identities_;
};

}  // namespace iotsky::apps
