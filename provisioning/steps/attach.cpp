#include "provisioning/steps/attach.hpp"

#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"
#include "provisioning/order_json.hpp"
#include "provisioning/steps/load.hpp"

namespace iotsky::provisioning {
namespace {

/// A renewal stands where the old certificate stood: same things, same policies. Asked again inside
/// the transaction: a revocation that came first wins.
Result<void> take_over(Order& order) {
    const Id& old = *order.renewed_from;
    const auto row = order.tx->certificate_by_id(old);
    if (row) {
        IOTSKY_CHECK(check_renewable(*row));
    }
    for (const Id& thing : order.tx->things_of_certificate(old)) {
        order.tx->attach_thing(order.certificate_id, thing);
    }
    for (const PolicyRecord& policy :
         order.tx->policies_of_target({TargetKind::certificate, old})) {
        order.tx->attach_policy(policy.id, {TargetKind::certificate, order.certificate_id},
                                order.now);
    }
    return {};
}

}  // namespace

Error certificate_is_revoked(const CertificateRecord& row) {
    return make_error(Errc::conflict, "E5243", "Certificate " + row.serial + " was revoked.",
                      "A revoked certificate stays revoked.",
                      "Issue a new one: iotsky cert issue THING");
}

Result<void> check_renewable(const CertificateRecord& row) {
    if (row.status == CertificateStatus::revoked) {
        return certificate_is_revoked(row);
    }
    if (row.status != CertificateStatus::active) {
        return make_error(Errc::conflict, "E5244",
                          "Certificate " + row.serial + " is switched off.",
                          "A successor would switch it on again by the back door.",
                          "Switch it on first; ask your teacher or the admin.");
    }
    return {};
}

Result<void> Attach::run(Order& order) {
    if (order.request.key == KeySource::none) {
        return {};
    }
    IOTSKY_CHECK(load_certificate(order, *order.tx));
    if (order.renewed_from) {
        IOTSKY_CHECK(take_over(order));
    } else {
        IOTSKY_CHECK(load_thing(order, *order.tx));
        if (order.thing) {
            // It may have been deleted since the order was placed.
            IOTSKY_CHECK(find_thing(*order.tx, order.thing->id.format(kThingPrefix)));
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
