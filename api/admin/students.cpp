#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "provisioning/names.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kRosterRows = 1000;

constexpr std::array kAdd{
    Field{"pseudonym", FieldType::text, Presence::required, "1-40 of [A-Za-z0-9_-]"},
    Field{"real_name", FieldType::text, Presence::optional, "only teachers see it"},
    Field{"project", FieldType::text, Presence::optional, "made when missing; default: none"},
};
constexpr std::array kChange{
    Field{"pseudonym", FieldType::text, Presence::optional, "1-40 of [A-Za-z0-9_-]"},
    Field{"real_name", FieldType::text_or_null, Presence::optional, "null: forget it"},
};
constexpr std::array kListQuery{kLimitField, kCursorField};
constexpr std::array kRosterQuery{
    kDryRunField,
    QueryField{"thing", QueryType::text, "makes a thing of this name for each student"},
    QueryField{"key_type", QueryType::text, "p256 (default) or rsa2048"},
    QueryField{"real_names", QueryType::flag, "false: only pseudonyms are kept; default true"},
    QueryField{"first", QueryType::number, "first row, from 1, header not counted", 1, 100'000},
    QueryField{"count", QueryType::number, "rows", 1, kRosterRows},
};

Result<Response> add_student(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(details, services.registry.students.add(
                            request.caller, request.param("class"),
                            {body.text("pseudonym"), body.optional_text("real_name"),
                             body.optional_text("project")}));
    return with_rev(json_response(201, student_json(details)), details.record.rev);
}

Result<Response> list_students(Services& services, const Request& request) {
    IOTSKY_TRY(listing, services.registry.students.list(request.caller, request.param("class"),
                                                        page_of(request)));
    return listing_response(listing, student_json);
}

Result<Response> show_student(Services& services, const Request& request) {
    IOTSKY_TRY(details, services.registry.students.show(request.caller, request.param("class"),
                                                        request.param("student")));
    return with_rev(json_response(200, student_json(details)), details.record.rev);
}

Result<Response> change_student(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(rev, if_match(request));
    IOTSKY_TRY(details,
               services.registry.students.change(
                   request.caller, request.param("class"), request.param("student"),
                   {body.optional_text("pseudonym"), body.nullable_text("real_name")}, rev));
    return with_rev(json_response(200, student_json(details)), details.record.rev);
}

Result<Response> delete_student(Services& services, const Request& request) {
    IOTSKY_TRY(rev, if_match(request));
    IOTSKY_CHECK(services.registry.students.remove(request.caller, request.param("class"),
                                                   request.param("student"), rev));
    return json_response(200, json::object{{"deleted", request.param("student")}});
}

/// The bundle of a row's thing, to be fetched once.
std::optional<std::string> bundle_url_of(Services& services, const Request& request,
                                         provisioning::RosterRow& row) {
    if (!row.thing || !row.certificate || !row.private_key) {
        return std::nullopt;
    }
    const auto details = services.registry.things.show(request.caller, *row.thing);
    if (!details) {
        return std::nullopt;  // deleted by somebody else meanwhile
    }
    provisioning::Provisioned made;
    made.certificate = std::move(row.certificate);
    made.private_key = std::move(row.private_key);
    made.topics = details->topics;
    const std::string id = details->record.id.format(provisioning::kThingPrefix);
    const std::string ticket =
        services.tickets.put(id, bundle_of(services, details->record, made, {}));
    return "/api/v1/things/" + id + "/bundle?once=" + ticket;
}

json::object roster_row_json(Services& services, const Request& request,
                             provisioning::RosterRow& row) {
    json::object out{{"line", row.line},
                     {"result", to_string(row.outcome)},
                     {"student", row.student},
                     {"project", row.project}};
    if (row.thing) {
        out["thing"] = *row.thing;
    }
    if (const auto url = bundle_url_of(services, request, row)) {
        out["bundle_url"] = *url;
    }
    if (!row.number.empty()) {
        out["code"] = row.number;
        out["message"] = row.message;
    }
    return out;
}

json::object columns_json(const provisioning::RosterColumns& columns) {
    return {{"name", text_or_null(columns.name)},
            {"pseudonym", text_or_null(columns.pseudonym)},
            {"project", text_or_null(columns.project)}};
}

Result<Response> import_roster(Services& services, const Request& request) {
    provisioning::RosterOptions options;
    options.dry_run = request.query_flag("dry_run");
    options.thing = request.query_value("thing");
    options.key_type = request.query_value("key_type").value_or("p256");
    options.first = static_cast<std::size_t>(request.query_number("first", 1));
    options.count = static_cast<std::size_t>(request.query_number("count", kRosterRows));
    options.keep_real_names =
        !request.query_value("real_names") || request.query_flag("real_names");
    IOTSKY_TRY(result, services.registry.roster.import(request.caller, request.param("class"),
                                                       request.body, options));
    json::array rows;
    for (provisioning::RosterRow& row : result.rows) {
        rows.push_back(roster_row_json(services, request, row));
    }
    json::object out{{"dry_run", result.dry_run},
                     {"rows_total", result.rows_total},
                     {"first", result.first},
                     {"columns", columns_json(result.columns)},
                     {"rows", std::move(rows)},
                     {"summary", json::object{{"created", result.created},
                                              {"existing", result.existing},
                                              {"problems", result.problems}}}};
    if (result.next) {
        out["next"] = *result.next;
    }
    return json_response(200, out);
}

Result<Response> export_roster(Services& services, const Request& request) {
    IOTSKY_TRY(csv, services.registry.roster.export_csv(request.caller, request.param("class")));
    Response response;
    response.content_type = "text/csv; charset=utf-8";
    response.body = std::move(csv);
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"roster.csv\"");
    return response;
}

constexpr std::array kRoutes{
    Route{.method = Method::post,
          .pattern = "/api/v1/classes/{class}/students",
          .needs = Rank::teacher,
          .handler = add_student,
          .summary = "Add a student",
          .body = BodyKind::json,
          .fields = kAdd,
          .success = 201},
    Route{.method = Method::get,
          .pattern = "/api/v1/classes/{class}/students",
          .needs = Rank::assistant,
          .handler = list_students,
          .summary = "List students",
          .query = kListQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/classes/{class}/students/{student}",
          .needs = Rank::assistant,
          .handler = show_student,
          .summary = "Show a student"},
    Route{.method = Method::patch,
          .pattern = "/api/v1/classes/{class}/students/{student}",
          .needs = Rank::teacher,
          .handler = change_student,
          .summary = "Change a student",
          .body = BodyKind::json,
          .fields = kChange},
    Route{.method = Method::delete_,
          .pattern = "/api/v1/classes/{class}/students/{student}",
          .needs = Rank::teacher,
          .handler = delete_student,
          .summary = "Remove a student; the projects stay"},
    Route{.method = Method::post,
          .pattern = "/api/v1/classes/{class}/roster",
          .needs = Rank::teacher,
          .handler = import_roster,
          .summary = "Import a roster: students, projects, and things when asked",
          .body = BodyKind::csv,
          .query = kRosterQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/classes/{class}/roster",
          .needs = Rank::teacher,
          .handler = export_roster,
          .summary = "Export the roster",
          .answers = "text/csv"},
};

}  // namespace

std::span<const Route> student_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
