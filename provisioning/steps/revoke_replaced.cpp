#include "provisioning/steps/revoke_replaced.hpp"

#include <boost/json.hpp>

#include "provisioning/order_json.hpp"
#include "provisioning/steps/load.hpp"

namespace iotsky::provisioning {

namespace {

/// Looked up inside the transaction: also what was issued a moment ago is replaced.
std::vector<Id> replaced(const Order& order) {
    std::vector<Id> ids;
    if (order.revoke_others && order.thing) {
        ids = order.tx->certificates_of_thing(order.thing->id);
        std::erase(ids, order.certificate_id);
    }
    if (order.revoke_old && order.renewed_from) {
        ids.push_back(*order.renewed_from);
    }
    return ids;
}

}  // namespace

Result<void> RevokeReplaced::run(Order& order) {
    for (const Id& id : replaced(order)) {
        auto row = order.tx->certificate_by_id(id);
        if (!row || row->status == CertificateStatus::revoked) {
            continue;  // somebody was faster
        }
        row->status = CertificateStatus::revoked;
        row->revoked_at = order.now;
        row->revoke_reason = "superseded";
        order.tx->update(*row);
        order.affected.certificates.push_back(id);
        order.revoked = true;
        boost::json::object body{{"kind", "certificate.revoked"},
                                 {"subject", subject_of(order)},
                                 {"reason", "superseded"},
                                 {"certificate", certificate_json(*row)}};
        order.events.push_back({"certificate.revoked", boost::json::serialize(body)});
    }
    return {};
}

void RevokeReplaced::undo(Order& order) noexcept {
    order.revoked = false;
}

}  // namespace iotsky::provisioning
