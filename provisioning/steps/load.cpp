#include "provisioning/steps/load.hpp"

#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"

namespace iotsky::provisioning {

Result<void> load_thing(Order& order, Reader& reader) {
    if (order.service || order.goal == Goal::student) {
        return {};
    }
    if (!order.thing) {
        const ThingRequest& request = order.request;
        const std::string path =
            request.class_name.empty()
                ? request.name
                : request.class_name + ":" + request.project + ":" + request.name;
        order.thing = reader.thing_by_id(order.thing_id);
        if (!order.thing) {
            IOTSKY_TRY(thing, find_thing(reader, path));
            order.thing = std::move(thing);
        }
        order.thing_id = order.thing->id;
    }
    if (!order.class_record && order.thing->class_id) {
        order.class_record = reader.class_by_id(*order.thing->class_id);
    }
    return {};
}

Result<void> load_certificate(Order& order, Reader& reader) {
    if (order.certificate) {
        return {};
    }
    order.certificate = reader.certificate_by_id(order.certificate_id);
    if (!order.certificate) {
        return make_error(
            Errc::not_found, "E5245",
            "There is no certificate " + order.certificate_id.format(kCertificatePrefix) + ".",
            "The event names a certificate that this registry does not have.",
            "Run issue_certificate first, on this registry.");
    }
    return {};
}

std::string subject_of(const Order& order) {
    if (order.service) {
        return "service " + *order.service;
    }
    if (order.goal == Goal::student && order.student) {
        return order.request.class_name + "/" + order.student->pseudonym;
    }
    return order.thing ? order.thing->path() : order.request.name;
}

}  // namespace iotsky::provisioning
