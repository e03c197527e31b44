#include "apps/serve/rights_bridge.hpp"

#include "apps/serve/identity_bridge.hpp"
#include "broker/broker.hpp"

namespace iotsky::apps {

// Whether a certificate was revoked is in the view already, where each thread looks it up again.
void RightsBridge::on_rights_changed(std::vector<std::string> scopes, bool /*revoked*/,
                                     std::function<void()> done) {
    if (identities_.has_account_scope()) {
        scopes.emplace_back(IdentityBridge::kAccountScope);
    }
    broker_.change_rights(std::move(scopes), std::move(done));
}

}  // namespace iotsky::apps
