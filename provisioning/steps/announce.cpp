#include "provisioning/steps/announce.hpp"

#include "provisioning/order_json.hpp"
#include "provisioning/steps/load.hpp"

namespace iotsky::provisioning {

Result<void> Announce::run(Order& order) {
    IOTSKY_CHECK(load_thing(order, *order.tx));
    const std::string_view last = order.goal == Goal::thing     ? "thing.provisioned"
                                  : order.goal == Goal::student ? "student.provisioned"
                                                                : "certificate.provisioned";
    if (order.events.empty() || order.events.back().kind != last) {
        add_event(order, last);
    }
    store_events(order);
    return {};
}

void Announce::undo(Order& order) noexcept {
    order.events.clear();
    order.events_stored = 0;
}

}  // namespace iotsky::provisioning
