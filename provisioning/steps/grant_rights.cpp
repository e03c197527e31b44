#include "provisioning/steps/grant_rights.hpp"

#include "provisioning/lookup.hpp"
#include "provisioning/order_json.hpp"
#include "provisioning/steps/load.hpp"

namespace iotsky::provisioning {
namespace {

Target target_of(const Order& order) {
    return order.thing ? Target{TargetKind::thing, order.thing->id}
                       : Target{TargetKind::certificate, order.certificate_id};
}

}  // namespace

Result<void> GrantRights::run(Order& order) {
    if (order.goal != Goal::thing && order.request.policies.empty()) {
        return {};  // a student has none; of a certificate: its thing has its rights; attach takes
                    // over those of a renewed certificate
    }
    IOTSKY_CHECK(load_thing(order, *order.tx));
    order.policy_ids.clear();
    for (const std::string& name : order.request.policies) {
        IOTSKY_TRY(policy, find_policy(*order.tx, name));
        order.policy_ids.push_back(policy.id);
        order.tx->attach_policy(policy.id, target_of(order), order.now);
    }
    if (order.thing) {
        order.affected.things.push_back(order.thing->id);
    }
    add_event(order, "rights.granted");
    return {};
}

void GrantRights::undo(Order& order) noexcept {
    order.policy_ids.clear();
}

}  // namespace iotsky::provisioning
