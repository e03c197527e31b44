#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::array kCreate{
    Field{"name", FieldType::text, Presence::required, "1-40 of [A-Za-z0-9_-]"},
    Field{"students", FieldType::text_list, Presence::optional, "pseudonyms or ids"},
};
constexpr std::array kStudents{Field{"students", FieldType::text_list, Presence::required,
                                     "pseudonyms or ids, beside those it has"}};
constexpr std::array kListQuery{kLimitField, kCursorField};
constexpr std::array kDeleteQuery{kCascadeField, kDryRunField};

Result<Response> create_project(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(details,
               services.registry.projects.create(request.caller, request.param("class"),
                                                 {body.text("name"), body.texts("students")}));
    return with_rev(json_response(201, project_json(details)), details.record.rev);
}

Result<Response> list_projects(Services& services, const Request& request) {
    IOTSKY_TRY(listing, services.registry.projects.list(request.caller, request.param("class"),
                                                        page_of(request)));
    return listing_response(listing, project_json);
}

Result<Response> show_project(Services& services, const Request& request) {
    IOTSKY_TRY(details, services.registry.projects.show(request.caller, request.param("class"),
                                                        request.param("project")));
    return with_rev(json_response(200, project_json(details)), details.record.rev);
}

Result<Response> change_project(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(rev, if_match(request));
    IOTSKY_TRY(details, services.registry.projects.add_students(
                            request.caller, request.param("class"), request.param("project"),
                            body.texts("students"), rev));
    return with_rev(json_response(200, project_json(details)), details.record.rev);
}

Result<Response> delete_project(Services& services, const Request& request) {
    return delete_group(request, [&](bool cascade, bool dry_run, const auto& rev) {
        return services.registry.projects.remove(request.caller, request.param("class"),
                                                 request.param("project"), cascade, dry_run, rev);
    });
}

constexpr std::array kRoutes{
    Route{.method = Method::post,
          .pattern = "/api/v1/classes/{class}/projects",
          .needs = Rank::teacher,
          .handler = create_project,
          .summary = "Make a project",
          .body = BodyKind::json,
          .fields = kCreate,
          .success = 201},
    Route{.method = Method::get,
          .pattern = "/api/v1/classes/{class}/projects",
          .needs = Rank::student,
          .handler = list_projects,
          .summary = "List projects",
          .query = kListQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/classes/{class}/projects/{project}",
          .needs = Rank::student,
          .handler = show_project,
          .summary = "Show a project"},
    Route{.method = Method::patch,
          .pattern = "/api/v1/classes/{class}/projects/{project}",
          .needs = Rank::teacher,
          .handler = change_project,
          .summary = "Add students to a project",
          .body = BodyKind::json,
          .fields = kStudents},
    Route{.method = Method::delete_,
          .pattern = "/api/v1/classes/{class}/projects/{project}",
          .needs = Rank::teacher,
          .handler = delete_project,
          .summary = "Delete a project",
          .query = kDeleteQuery},
};

}  // namespace

std::span<const Route> project_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
