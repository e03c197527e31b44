#include "provisioning/steps/create_thing.hpp"

#include <algorithm>

#include "provisioning/lookup.hpp"
#include "provisioning/order_json.hpp"
#include "provisioning/view_loader.hpp"

namespace iotsky::provisioning {
namespace {

bool is_reserved(std::string_view project) {
    return project == "board" || project == "commons";
}

Result<void> check_class_names(const ThingRequest& request) {
    IOTSKY_CHECK(check_name(request.project, "project", "/project"));
    IOTSKY_CHECK(check_name(request.name, "thing"));
    if (is_reserved(request.project)) {
        return make_error(Errc::invalid_argument, "E2113",
                          "A project cannot be called " + request.project + ".",
                          "CLASS/board and CLASS/commons are shared places of the class.",
                          "Choose another name.");
    }
    return {};
}

/// "a:b:c" is the AWS name of a thing in class a; such a thing is made in its class or not at all.
Result<void> check_classless_name(const ThingRequest& request, Reader& reader) {
    IOTSKY_CHECK(check_aws_name(request.name));
    if (std::count(request.name.begin(), request.name.end(), ':') != 2) {
        return {};
    }
    const std::string class_name = request.name.substr(0, request.name.find(':'));
    if (reader.class_by_name(class_name)) {
        return make_error(
            Errc::conflict, "E2115",
            "\"" + request.name + "\" is the name of a thing in class " + class_name + ".",
            "Things of a class are made in the class.",
            "Name class, project and thing, or choose a name without two colons.");
    }
    return {};
}

Error name_taken(const ThingRecord& thing) {
    return make_error(Errc::already_exists, "E2114",
                      "There is a thing " + thing.path() + " already.",
                      "Names are unique in a project.",
                      "Choose another name, or make a new certificate for it: iotsky bundle make " +
                          thing.path());
}

Result<void> check_limit(const ClassRecord& in, const ProjectRecord& project, Reader& reader) {
    const std::int64_t most = in.settings.limits.things_per_project_max;
    const auto count = static_cast<std::int64_t>(reader.count_things(project.id));
    if (count < most) {
        return {};
    }
    return make_error(Errc::limit_exceeded, "E2106",
                      "Project " + project.name + " already has " + std::to_string(count) +
                          " things (limit " + std::to_string(most) + " in class " + in.name + ").",
                      "Each class has a limit of things per project.",
                      "Ask your teacher, or delete one: iotsky thing list " + in.name + "/" +
                          project.name + "; teacher: iotsky class set " + in.name +
                          " --max-things " + std::to_string(most + 3));
}

/// All that can be refused before anything is made. Fills in class_record.
Result<void> check_request(Order& order, Reader& reader) {
    const ThingRequest& request = order.request;
    IOTSKY_CHECK(check_attributes(request.attributes));
    if (request.class_name.empty()) {
        return check_classless_name(request, reader);
    }
    IOTSKY_TRY(in, find_class(reader, request.class_name));
    IOTSKY_CHECK(check_class_names(request));
    if (in.ends_on && order.now >= end_of(*in.ends_on)) {
        return class_over(in.name, *in.ends_on);
    }
    if (const auto project = reader.project_by_name(in.id, request.project)) {
        const auto thing =
            reader.thing_by_aws_name(in.name + ":" + request.project + ":" + request.name);
        if (!thing) {
            IOTSKY_CHECK(check_limit(in, *project, reader));
        } else if (thing->id != order.thing_id) {
            return name_taken(*thing);
        }
    }
    order.class_record = std::move(in);
    return {};
}

ProjectRecord project_of(Order& order) {
    const Id class_id = order.class_record->id;
    if (auto project = order.tx->project_by_name(class_id, order.request.project)) {
        return *std::move(project);
    }
    const ProjectRecord project{order.project_id, class_id, order.request.project, order.now, 1};
    order.tx->insert(project);
    order.project_made = true;
    return project;
}

ThingRecord thing_of(const Order& order) {
    const ThingRequest& request = order.request;
    ThingRecord thing;
    thing.id = order.thing_id;
    thing.name = request.name;
    thing.aws_name = request.name;
    thing.type = request.type;
    thing.board = request.board;
    thing.attributes = request.attributes;
    std::sort(thing.attributes.begin(), thing.attributes.end());
    thing.created_at = order.now;
    return thing;
}

}  // namespace

Result<void> CreateThing::prepare(std::span<Order> orders) {
    return core_.store.read_void([&](Reader& reader) -> Result<void> {
        for (Order& order : orders) {
            if (!order.dry_run &&
                order.goal == Goal::thing) {  // a dry run may imagine its class: run() looks then
                IOTSKY_CHECK(check_request(order, reader));
            }
        }
        return {};
    });
}

Result<void> CreateThing::run(Order& order) {
    if (order.goal != Goal::thing) {
        return {};
    }
    IOTSKY_CHECK(check_request(order, *order.tx));
    ThingRecord thing = thing_of(order);
    if (order.class_record) {
        const ProjectRecord project = project_of(order);
        thing.class_id = project.class_id;
        thing.project_id = project.id;
        thing.aws_name = order.class_record->name + ":" + project.name + ":" + thing.name;
        if (order.owner) {
            order.tx->add_student_to_project(project.id, *order.owner);
        }
    }
    if (const auto existing = order.tx->thing_by_aws_name(thing.aws_name)) {
        if (existing->id != order.thing_id) {
            return name_taken(*existing);
        }
        order.thing = *existing;  // made by this order before
        return {};
    }
    order.tx->insert(thing);
    order.affected.things.push_back(thing.id);
    order.thing = std::move(thing);
    add_event(order, "thing.created");
    return {};
}

void CreateThing::undo(Order& order) noexcept {
    order.thing.reset();
    order.class_record.reset();
    order.project_made = false;
    order.affected.things.clear();
    order.events.clear();
    order.events_stored = 0;
}

}  // namespace iotsky::provisioning
