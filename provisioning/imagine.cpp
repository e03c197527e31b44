#include "provisioning/imagine.hpp"

namespace iotsky::provisioning {
namespace {

/// An id that no random one equals in practice, made of another.
Id imagined_id(Id id) {
    id.bytes[0] ^= 0xffU;
    return id;
}

ClassRecord imagine_class(Order& order) {
    if (auto known = order.tx->class_by_name(order.request.class_name)) {
        return *std::move(known);
    }
    ClassRecord row;
    row.id = imagined_id(order.thing_id);
    row.name = order.request.class_name;
    row.created_at = order.now;
    order.tx->insert(row);
    return row;
}

void imagine_thing(Order& order, const std::optional<ClassRecord>& in) {
    if (!order.has_thing || order.tx->thing_by_id(order.thing_id)) {
        return;
    }
    ThingRecord thing;
    thing.id = order.thing_id;
    thing.name = order.request.name;
    thing.aws_name = thing.name;
    thing.board = order.request.board;
    thing.type = order.request.type;
    thing.attributes = order.request.attributes;
    thing.created_at = order.now;
    if (in) {
        auto project = order.tx->project_by_name(in->id, order.request.project);
        if (!project) {
            project = ProjectRecord{order.project_id, in->id, order.request.project, order.now, 1};
            order.tx->insert(*project);
        }
        thing.class_id = in->id;
        thing.project_id = project->id;
        thing.aws_name = in->name + ":" + project->name + ":" + thing.name;
    }
    order.tx->insert(thing);
}

void imagine_certificate(Order& order) {
    if (!order.has_certificate || order.tx->certificate_by_id(order.certificate_id)) {
        return;
    }
    CertificateRecord row;
    row.id = order.certificate_id;
    row.entry_id = order.certificate_id;
    row.issuer = "imagined";
    row.serial = "";
    row.key_type = order.request.key_type;
    row.created_us = order.created_us;
    order.tx->insert(row);
}

}  // namespace

void imagine(Order& order) {
    std::optional<ClassRecord> in;
    if (!order.request.class_name.empty()) {
        in = imagine_class(order);
    }
    imagine_thing(order, in);
    imagine_certificate(order);
}

}  // namespace iotsky::provisioning
