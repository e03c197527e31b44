#include "provisioning/steps/attach.hpp"

#include "provisioning/order_json.hpp"
#include "provisioning/steps/load.hpp"

namespace iotsky::provisioning {
namespace {

/// A renewal stands where the old certificate stood: same things, same policies.
void take_over(Order& order) {
    const Id& old = *order.renewed_from;
    for (const Id& thing : order.tx->things_of_certificate(old)) {
        order.tx->attach_thing(order.certificate_id, thing);
    }
    for (const PolicyRecord& policy :
         order.tx->policies_of_target({TargetKind::certificate, old})) {
        order.tx->attach_policy(policy.id, {TargetKind::certificate, order.certificate_id},
                                order.now);
    }
}

}  // namespace

Result<void> Attach::run(Order& order) {
    if (order.request.key == KeySource::none) {
        return {};
    }
    IOTSKY_CHECK(load_certificate(order, *order.tx));
    if (order.renewed_from) {
        take_over(order);
    } else {
        IOTSKY_CHECK(load_thing(order, *order.tx));
        if (order.thing) {
            order.tx->attach_thing(order.certificate_id, order.thing->id);
        }
    }
    order.affected.certificates.push_back(order.certificate_id);
    if (order.thing) {
        add_event(order, "certificate.attached");
    }
    return {};
}

void Attach::undo(Order& order) noexcept {
    order.affected.certificates.clear();
}

}  // namespace iotsky::provisioning
