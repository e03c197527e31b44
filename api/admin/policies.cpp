#include <algorithm>
#include <array>
#include <charconv>

#include "acl/policy.hpp"
#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "provisioning/names.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;
using provisioning::TargetKind;

constexpr Field kDocument{"document", FieldType::document, Presence::required,
                          "an AWS-IoT-style policy document"};
constexpr std::array kCreate{
    Field{"name", FieldType::text, Presence::required, "1-128 of [A-Za-z0-9+=,.@_-]"}, kDocument};
constexpr std::array kCheck{kDocument};
constexpr std::array kVersion{
    kDocument,
    Field{"set_default", FieldType::boolean, Presence::optional, "true (default): in use at once"}};
constexpr std::array kTargetFields{
    Field{"kind", FieldType::text, Presence::required, "thing, certificate, project or class"},
    Field{"name", FieldType::text, Presence::required, "path, id or serial"}};
constexpr std::array kTarget{
    Field{"target", FieldType::object, Presence::required, "", kTargetFields}};
constexpr std::array kListQuery{kLimitField, kCursorField};

Result<Response> create_policy(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(record, services.registry.policies.create(request.caller, body.text("name"),
                                                         body.document("document")));
    Response response = json_response(201, policy_json(record));
    response.headers.emplace_back("Location", "/api/v1/policies/" + record.name);
    return with_rev(std::move(response), record.rev);
}

Result<Response> list_policies(Services& services, const Request& request) {
    IOTSKY_TRY(listing, services.registry.policies.list(request.caller, page_of(request)));
    return listing_response(listing, policy_json);
}

Result<Response> show_policy(Services& services, const Request& request) {
    IOTSKY_TRY(details, services.registry.policies.show(request.caller, request.param("policy")));
    json::object out = policy_json(details.record);
    out["document"] = embedded(details.document);
    out["versions"] = json::array(details.versions.begin(), details.versions.end());
    json::array targets;
    for (const auto& target : details.targets) {
        targets.push_back(target_json(target));
    }
    out["targets"] = std::move(targets);
    return with_rev(json_response(200, out), details.record.rev);
}

Result<Response> check_policy(Services& /*services*/, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(policy, acl::parse_policy(body.document("document")));
    return json_response(200, json::object{{"valid", true}, {"bytes", policy.text.size()}});
}

Result<Response> delete_policy(Services& services, const Request& request) {
    IOTSKY_TRY(rev, if_match(request));
    IOTSKY_CHECK(services.registry.policies.remove(request.caller, request.param("policy"), rev));
    return json_response(200, json::object{{"deleted", request.param("policy")}});
}

json::object version_json(const provisioning::PolicyVersionRecord& row, bool is_default) {
    return {{"version", row.version},
            {"default", is_default},
            {"created_at", format_utc(row.created_at)}};
}

/// The number of a version, as it stands in a path or cursor; no policy has version 0.
std::int64_t version_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? number : 0;
}

Result<Response> list_versions(Services& services, const Request& request) {
    const std::string& policy = request.param("policy");
    IOTSKY_TRY(details, services.registry.policies.show(request.caller, policy));
    IOTSKY_TRY(rows, services.registry.policies.versions(request.caller, policy));
    const provisioning::PageRequest page = page_of(request);
    std::int64_t last = version_number(page.cursor);
    json::array items;
    for (const auto& row : rows) {
        if (row.version <= last) {
            continue;
        }
        if (items.size() == page.limit) {
            return page_response(std::move(items), std::to_string(last));
        }
        items.push_back(version_json(row, row.version == details.record.default_version));
        last = row.version;
    }
    return page_response(std::move(items), std::nullopt);
}

Result<Response> show_version(Services& services, const Request& request) {
    const std::string& policy = request.param("policy");
    IOTSKY_TRY(details, services.registry.policies.show(request.caller, policy));
    IOTSKY_TRY(row, services.registry.policies.version(request.caller, policy,
                                                       version_number(request.param("n"))));
    json::object out = version_json(row, row.version == details.record.default_version);
    out["document"] = embedded(row.document);
    return json_response(200, out);
}

Result<Response> add_version(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    const bool set_default = body.boolean("set_default").value_or(true);
    IOTSKY_TRY(changed,
               services.registry.policies.add_version(request.caller, request.param("policy"),
                                                      body.document("document"), set_default));
    json::object out = version_json(changed.value, set_default);
    out["effective"] = changed.effective;
    return json_response(201, out);
}

Result<Response> set_default_version(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    const std::string& policy = request.param("policy");
    const std::int64_t number = version_number(request.param("n"));
    IOTSKY_TRY(changed, services.registry.policies.set_default(request.caller, policy, number));
    IOTSKY_TRY(row, services.registry.policies.version(request.caller, policy, number));
    json::object out = version_json(row, true);
    out["effective"] = changed.effective;
    return json_response(200, out);
}

Result<Response> delete_version(Services& services, const Request& request) {
    const std::string& policy = request.param("policy");
    const std::int64_t number = version_number(request.param("n"));
    IOTSKY_CHECK(services.registry.policies.remove_version(request.caller, policy, number));
    return json_response(200, json::object{{"deleted", policy + "/" + std::to_string(number)}});
}

Result<provisioning::TargetName> target_of(const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    const Body target = body.object("target");
    const auto kind = provisioning::from_string<TargetKind>(target.text("kind"));
    if (!kind || *kind == TargetKind::group || *kind == TargetKind::user) {
        return wrong_fields({{"/target/kind", "must be thing, certificate, project or class"}});
    }
    return provisioning::TargetName{*kind, target.text("name")};
}

Response attachment_response(const std::string& policy,
                             const provisioning::Changed<provisioning::TargetName>& changed) {
    return json_response(200, json::object{{"policy", policy},
                                           {"target", target_json(changed.value)},
                                           {"effective", changed.effective}});
}

Result<Response> attach_policy(Services& services, const Request& request) {
    IOTSKY_TRY(target, target_of(request));
    IOTSKY_TRY(changed,
               services.registry.policies.attach(request.caller, request.param("policy"), target));
    return attachment_response(request.param("policy"), changed);
}

Result<Response> detach_policy(Services& services, const Request& request) {
    IOTSKY_TRY(target, target_of(request));
    IOTSKY_TRY(changed,
               services.registry.policies.detach(request.caller, request.param("policy"), target));
    return attachment_response(request.param("policy"), changed);
}

constexpr std::array kRoutes{
    Route{.method = Method::post,
          .pattern = "/api/v1/policies",
          .handler = create_policy,
          .summary = "Store a policy",
          .body = BodyKind::json,
          .fields = kCreate,
          .success = 201},
    Route{.method = Method::get,
          .pattern = "/api/v1/policies",
          .handler = list_policies,
          .summary = "List policies",
          .query = kListQuery},
    Route{.method = Method::post,
          .pattern = "/api/v1/policies:check",
          .handler = check_policy,
          .summary = "Check a policy document without storing it",
          .body = BodyKind::json,
          .fields = kCheck},
    Route{.method = Method::get,
          .pattern = "/api/v1/policies/{policy}",
          .handler = show_policy,
          .summary = "Show a policy with its document, versions and targets"},
    Route{.method = Method::delete_,
          .pattern = "/api/v1/policies/{policy}",
          .handler = delete_policy,
          .summary = "Delete a policy that is attached nowhere"},
    Route{.method = Method::get,
          .pattern = "/api/v1/policies/{policy}/versions",
          .handler = list_versions,
          .summary = "List the versions of a policy",
          .query = kListQuery},
    Route{.method = Method::post,
          .pattern = "/api/v1/policies/{policy}/versions",
          .handler = add_version,
          .summary = "Add a version to a policy",
          .body = BodyKind::json,
          .fields = kVersion,
          .success = 201},
    Route{.method = Method::post,
          .pattern = "/api/v1/policies/{policy}/versions/{n}:default",
          .handler = set_default_version,
          .summary = "Use this version from now on",
          .body = BodyKind::json},
    Route{.method = Method::get,
          .pattern = "/api/v1/policies/{policy}/versions/{n}",
          .handler = show_version,
          .summary = "Show a version of a policy"},
    Route{.method = Method::delete_,
          .pattern = "/api/v1/policies/{policy}/versions/{n}",
          .handler = delete_version,
          .summary = "Delete a version that is not in use"},
    Route{.method = Method::post,
          .pattern = "/api/v1/policies/{policy}:attach",
          .handler = attach_policy,
          .summary = "Attach a policy",
          .body = BodyKind::json,
          .fields = kTarget},
    Route{.method = Method::post,
          .pattern = "/api/v1/policies/{policy}:detach",
          .handler = detach_policy,
          .summary = "Detach a policy",
          .body = BodyKind::json,
          .fields = kTarget},
};

}  // namespace

std::span<const Route> policy_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
