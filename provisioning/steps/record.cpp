#include "provisioning/steps/record.hpp"

#include <boost/json.hpp>

#include "provisioning/audit_chain.hpp"
#include "provisioning/idempotency.hpp"
#include "provisioning/order_json.hpp"
#include "provisioning/steps/load.hpp"

namespace iotsky::provisioning {
namespace {

std::string_view action_of(const Order& order) {
    if (order.renewed_from) {
        return "certificate.renew";
    }
    switch (order.goal) {
        case Goal::thing:
            return "thing.create";
        case Goal::student:
            return "student.add";
        case Goal::certificate:
            break;
    }
    return "certificate.issue";
}

std::string detail_of(const Order& order) {
    boost::json::object detail = order_json(order);
    detail.erase("rights");
    return boost::json::serialize(detail);
}

}  // namespace

Result<void> Record::run(Order& order) {
    IOTSKY_CHECK(load_thing(order, *order.tx));
    if (order.recorded) {
        return {};
    }
    append_to_audit(*order.tx, AuditEntry{0,
                                          order.now,
                                          order.actor,
                                          std::string{action_of(order)},
                                          subject_of(order),
                                          detail_of(order),
                                          {}});
    if (order.idempotency) {
        order.idempotency->answer = answer_of(order);
        order.tx->insert(*order.idempotency);
    }
    order.recorded = true;
    add_event(order, "order.recorded");
    return {};
}

void Record::undo(Order& order) noexcept {
    order.recorded = false;
}

}  // namespace iotsky::provisioning
