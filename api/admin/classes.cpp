#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "provisioning/names.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;
using provisioning::OnDeniedPublish;

constexpr std::array kLimits{
    Field{"things_per_project_max", FieldType::integer, Presence::optional, "1 to 10,000"},
    Field{"messages_per_second", FieldType::integer, Presence::optional, "1 to 100,000"},
    Field{"burst", FieldType::integer, Presence::optional, "messages, 1 to 1,000,000"},
    Field{"payload_bytes_max", FieldType::integer, Presence::optional, "1 to 268,435,455"},
    Field{"retained_per_thing_max", FieldType::integer, Presence::optional, "1 to 1,000,000"},
    Field{"queue_bytes_per_session_max", FieldType::integer, Presence::optional, "1 to 2^40"},
};
constexpr Field kGrace{"grace_days", FieldType::integer, Presence::optional,
                       "days after the end in which an extension brings certificates back"};
constexpr Field kStrict{"strict_isolation", FieldType::boolean, Presence::optional,
                        "things have their own tree alone"};
constexpr Field kDenied{"on_denied_publish", FieldType::text, Presence::optional,
                        "ack or disconnect"};
constexpr Field kLimitsField{"limits", FieldType::object, Presence::optional, "", kLimits};

constexpr std::array kCreate{
    Field{"name", FieldType::text, Presence::required, "1-40 of [A-Za-z0-9_-]"},
    Field{"ends_on", FieldType::date, Presence::optional, "last day; none: no end"},
    kGrace,
    kStrict,
    kDenied,
    kLimitsField,
};
constexpr std::array kChange{
    Field{"ends_on", FieldType::date_or_null, Presence::optional, "last day; null: no end"},
    kGrace,
    kStrict,
    kDenied,
    kLimitsField,
};
constexpr std::array kExtend{
    Field{"until", FieldType::date, Presence::required, "the new last day"}};
constexpr std::array kListQuery{kLimitField, kCursorField};
constexpr std::array kDeleteQuery{kCascadeField, kDryRunField};

Result<provisioning::SettingsChange> settings_of(const Body& body) {
    provisioning::SettingsChange out;
    out.strict_isolation = body.boolean("strict_isolation");
    if (const auto word = body.optional_text("on_denied_publish")) {
        out.on_denied_publish = provisioning::from_string<OnDeniedPublish>(*word);
        if (!out.on_denied_publish) {
            return wrong_fields({{"/on_denied_publish", "must be ack or disconnect"}});
        }
    }
    const Body limits = body.object("limits");
    out.things_per_project_max = limits.integer("things_per_project_max");
    out.messages_per_second = limits.integer("messages_per_second");
    out.burst = limits.integer("burst");
    out.payload_bytes_max = limits.integer("payload_bytes_max");
    out.retained_per_thing_max = limits.integer("retained_per_thing_max");
    out.queue_bytes_per_session_max = limits.integer("queue_bytes_per_session_max");
    return out;
}

Result<Response> create_class(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(settings, settings_of(body));
    IOTSKY_TRY(record, services.registry.classes.create(request.caller,
                                                        {body.text("name"), body.date("ends_on"),
                                                         body.integer("grace_days"), settings}));
    Response response = json_response(201, class_json(record, services.clock.wall_now()));
    response.headers.emplace_back("Location", "/api/v1/classes/" + record.name);
    return with_rev(std::move(response), record.rev);
}

Result<Response> list_classes(Services& services, const Request& request) {
    IOTSKY_TRY(listing, services.registry.classes.list(request.caller, page_of(request)));
    const WallTime now = services.clock.wall_now();
    return listing_response(listing, [now](const auto& row) { return class_json(row, now); });
}

Result<Response> show_class(Services& services, const Request& request) {
    IOTSKY_TRY(record, services.registry.classes.show(request.caller, request.param("class")));
    return with_rev(json_response(200, class_json(record, services.clock.wall_now())), record.rev);
}

Result<Response> change_class(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(settings, settings_of(body));
    IOTSKY_TRY(rev, if_match(request));
    IOTSKY_TRY(changed,
               services.registry.classes.set(
                   request.caller, request.param("class"),
                   {body.nullable_date("ends_on"), body.integer("grace_days"), settings}, rev));
    json::object out = class_json(changed.value, services.clock.wall_now());
    out["effective"] = changed.effective;
    return with_rev(json_response(200, out), changed.value.rev);
}

Result<Response> extend_class(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(changed, services.registry.classes.extend(request.caller, request.param("class"),
                                                         *body.date("until")));
    const auto& record = changed.value.record;
    json::object out = class_json(record, services.clock.wall_now());
    out["certificates_too_short"] = changed.value.certificates_too_short;
    out["effective"] = changed.effective;
    return with_rev(json_response(200, out), record.rev);
}

Result<Response> delete_class(Services& services, const Request& request) {
    return delete_group(request, [&](bool cascade, bool dry_run, const auto& rev) {
        return services.registry.classes.remove(request.caller, request.param("class"), cascade,
                                                dry_run, rev);
    });
}

constexpr std::array kRoutes{
    Route{.method = Method::post,
          .pattern = "/api/v1/classes",
          .needs = Rank::admin,
          .handler = create_class,
          .summary = "Make a class",
          .body = BodyKind::json,
          .fields = kCreate,
          .success = 201},
    Route{.method = Method::get,
          .pattern = "/api/v1/classes",
          .needs = Rank::assistant,
          .handler = list_classes,
          .summary = "List classes",
          .query = kListQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/classes/{class}",
          .needs = Rank::assistant,
          .handler = show_class,
          .summary = "Show a class"},
    Route{.method = Method::patch,
          .pattern = "/api/v1/classes/{class}",
          .needs = Rank::teacher,
          .handler = change_class,
          .summary = "Change a class",
          .body = BodyKind::json,
          .fields = kChange},
    Route{.method = Method::post,
          .pattern = "/api/v1/classes/{class}:extend",
          .needs = Rank::teacher,
          .handler = extend_class,
          .summary = "Move the end of a class to a later day",
          .body = BodyKind::json,
          .fields = kExtend},
    Route{.method = Method::delete_,
          .pattern = "/api/v1/classes/{class}",
          .needs = Rank::admin,
          .handler = delete_class,
          .summary = "Delete a class",
          .query = kDeleteQuery},
};

}  // namespace

std::span<const Route> class_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
