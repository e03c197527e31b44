#include "provisioning/things.hpp"

#include <boost/json.hpp>

#include <algorithm>

#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"
#include "provisioning/order_json.hpp"
#include "provisioning/removal.hpp"
#include "provisioning/rights.hpp"

namespace iotsky::provisioning {
namespace {

Place place_of(const ThingRecord& thing) {
    return {thing.class_id, thing.project_id};
}

Result<ThingRecord> thing_for(Reader& reader, const Caller& caller, Operation operation,
                              std::string_view name) {
    IOTSKY_TRY(thing, find_thing(reader, name));
    IOTSKY_CHECK(check(caller, operation, place_of(thing)));
    return thing;
}

/// What the caller may see of what was asked for.
Result<ThingFilter> filter_for(Reader& reader, const Caller& caller, const ThingQuery& query) {
    ThingFilter filter;
    filter.part = query.part;
    std::replace(filter.part.begin(), filter.part.end(), '/', ':');
    if (!query.class_name.empty()) {
        IOTSKY_TRY(in, find_class(reader, query.class_name));
        filter.class_id = in.id;
        if (!query.project.empty()) {
            IOTSKY_TRY(project, find_project(reader, in, query.project));
            filter.project_id = project.id;
        }
    }
    if (caller.role != Role::admin) {
        filter.class_id = filter.class_id ? filter.class_id : caller.class_id;
        filter.project_id = filter.project_id ? filter.project_id : caller.project_id;
    }
    IOTSKY_CHECK(check(caller, Operation::thing_read, {filter.class_id, filter.project_id}));
    return filter;
}

std::vector<CertificateRecord> certificates_of(Reader& reader, const ThingRecord& thing) {
    std::vector<CertificateRecord> rows;
    for (const Id& id : reader.certificates_of_thing(thing.id)) {
        if (auto row = reader.certificate_by_id(id)) {
            rows.push_back(*std::move(row));
        }
    }
    std::sort(rows.begin(), rows.end(),
              [](const auto& a, const auto& b) { return a.created_us < b.created_us; });
    return rows;
}

DefaultTopics topics_of(Reader& reader, const ThingRecord& thing) {
    const auto in = thing.class_id ? reader.class_by_id(*thing.class_id) : std::nullopt;
    return default_topics(thing, in && in->settings.strict_isolation);
}

Result<void> rename(Change& change, ThingRecord& thing, const std::string& name) {
    if (thing.class_id) {
        IOTSKY_CHECK(check_name(name, "thing"));
    } else {
        IOTSKY_CHECK(check_aws_name(name));
    }
    const std::size_t last = thing.class_id ? thing.aws_name.rfind(':') + 1 : 0;
    const std::string aws_name = thing.aws_name.substr(0, last) + name;
    if (aws_name != thing.aws_name && change.tx.thing_by_aws_name(aws_name)) {
        return make_error(Errc::already_exists, "E2114", "There is such a thing already.",
                          "Names are unique in a project.", "Choose another name.");
    }
    thing.name = name;
    thing.aws_name = aws_name;
    return {};
}

Result<void> apply(Change& change, const ThingChange& wanted, ThingRecord& thing) {
    if (wanted.name) {
        IOTSKY_CHECK(rename(change, thing, *wanted.name));
    }
    if (wanted.attributes) {
        IOTSKY_CHECK(check_attributes(*wanted.attributes));
        thing.attributes = *wanted.attributes;
        std::sort(thing.attributes.begin(), thing.attributes.end());
    }
    thing.board = wanted.board.value_or(thing.board);
    thing.type = wanted.type.value_or(thing.type);
    return {};
}

}  // namespace

std::string request_text(const ThingRequest& request) {
    Order order;
    order.request = request;
    boost::json::object object = order_json(order);
    object.erase("order");
    return boost::json::serialize(object);
}

Things::Things(Core& core, Idempotency& idempotency)
    : core_(core), idempotency_(idempotency), pipeline_(core, create_thing_steps(core)) {}

Result<void> Things::check_create(const Caller& caller, const ThingRequest& request) {
    if (!request.policies.empty()) {
        IOTSKY_CHECK(check(caller, Operation::policy_change, {}));
    }
    if (request.class_name.empty()) {
        return check(caller, Operation::thing_change, {});
    }
    return core_.store.read_void([&](Reader& reader) -> Result<void> {
        IOTSKY_TRY(in, find_class(reader, request.class_name));
        const auto project = reader.project_by_name(in.id, request.project);
        return check(caller, Operation::thing_change,
                     {in.id, project ? std::optional{project->id} : std::nullopt});
    });
}

Result<Provisioned> Things::create(const Caller& caller, const ThingRequest& request,
                                   const std::optional<std::string>& key) {
    IOTSKY_CHECK(check_create(caller, request));
    const auto make = [&](std::optional<IdempotencyRecord> record) -> Result<Provisioned> {
        Order order = place_order(core_, request, caller.actor);
        order.idempotency = std::move(record);
        IOTSKY_TRY(effective, pipeline_.run(order));
        Provisioned made;
        made.topics = default_topics(
            *order.thing, order.class_record && order.class_record->settings.strict_isolation);
        made.thing = std::move(order.thing);
        made.certificate = std::move(order.certificate);
        made.private_key = std::move(order.private_key);
        made.effective = effective;
        return made;
    };
    return idempotency_.run(caller, key, request_text(request), make);
}

Result<Listing<ThingRecord>> Things::list(const Caller& caller, const ThingQuery& query,
                                          const PageRequest& request) {
    IOTSKY_TRY(page, to_page(request));
    return core_.store.read([&](Reader& reader) -> Result<Listing<ThingRecord>> {
        IOTSKY_TRY(filter, filter_for(reader, caller, query));
        return to_listing(reader.things(filter, page), request.limit,
                          [](const ThingRecord& row) { return row.aws_name; });
    });
}

Result<ThingDetails> Things::show(const Caller& caller, std::string_view name) {
    return core_.store.read([&](Reader& reader) -> Result<ThingDetails> {
        IOTSKY_TRY(thing, thing_for(reader, caller, Operation::thing_read, name));
        ThingDetails shown;
        shown.certificates = certificates_of(reader, thing);
        for (PolicyRecord& policy : reader.policies_of_target({TargetKind::thing, thing.id})) {
            shown.policies.push_back(std::move(policy.name));
        }
        shown.topics = topics_of(reader, thing);
        shown.record = std::move(thing);
        return shown;
    });
}

Result<Changed<ThingRecord>> Things::change(const Caller& caller, std::string_view name,
                                            const ThingChange& wanted, std::optional<Rev> if_rev) {
    return core_.change(caller, [&](Change& change) -> Result<ThingRecord> {
        IOTSKY_TRY(thing, thing_for(change.tx, caller, Operation::thing_change, name));
        IOTSKY_CHECK(check_rev(if_rev, thing.rev, "Thing " + thing.path()));
        IOTSKY_CHECK(apply(change, wanted, thing));
        change.tx.update(thing);
        change.affected.things.push_back(thing.id);
        const boost::json::object body{{"kind", "thing.changed"}, {"thing", thing_json(thing)}};
        const std::string text = boost::json::serialize(body);
        change.event("thing.changed", text);
        change.audit("thing.set", thing.path(), text);
        ++thing.rev;
        return thing;
    });
}

Result<Changed<ThingDeleted>> Things::remove(const Caller& caller, std::string_view name,
                                             bool dry_run, std::optional<Rev> if_rev) {
    return core_.change(
        caller,
        [&](Change& change) -> Result<ThingDeleted> {
            IOTSKY_TRY(thing, thing_for(change.tx, caller, Operation::thing_change, name));
            IOTSKY_CHECK(check_rev(if_rev, thing.rev, "Thing " + thing.path()));
            const std::size_t revoked = remove_thing(change, thing);
            return ThingDeleted{thing.path(), revoked};
        },
        dry_run ? Ending::roll_back : Ending::commit);
}

}  // namespace iotsky::provisioning
