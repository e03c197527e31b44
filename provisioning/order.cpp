#include "provisioning/order.hpp"

namespace iotsky::provisioning {

void store_events(Order& order) {
    for (; order.events_stored < order.events.size(); ++order.events_stored) {
        const OrderEvent& event = order.events[order.events_stored];
        order.tx->append_event(order.now, event.kind, event.body);
    }
}

DefaultTopics default_topics(const ThingRecord& thing, bool strict_isolation) {
    if (!thing.class_id) {
        return {};
    }
    const std::string path = thing.path();
    const std::string class_name = path.substr(0, path.find('/'));
    const std::string project = path.substr(0, path.rfind('/'));
    if (strict_isolation) {
        return {{path + "/#"}, {path + "/#"}};
    }
    return {{path + "/#", class_name + "/commons/#"},
            {project + "/#", class_name + "/board/#", class_name + "/commons/#"}};
}

}  // namespace iotsky::provisioning
