#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "provisioning/names.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::array kCreate{
    Field{"name", FieldType::text, Presence::required, "for people: 1-40 of [A-Za-z0-9_-]"},
    Field{"role", FieldType::text, Presence::required,
          "admin, teacher, assistant, student or projector"},
    Field{"class", FieldType::text, Presence::optional, "required for every role but admin"},
    Field{"project", FieldType::text, Presence::optional, "required for student"},
    Field{"expires_in", FieldType::text, Presence::optional, "e.g. 90d"},
    Field{"expires_on", FieldType::date, Presence::optional, "its last day, UTC"},
};
constexpr std::array kListQuery{kLimitField, kCursorField};

Result<std::optional<WallTime>> expiry_of(const Services& services, const Body& body) {
    if (const auto text = body.optional_text("expires_in")) {
        IOTSKY_TRY(time, parse_duration(*text, "/expires_in"));
        return std::optional<WallTime>{services.clock.wall_now() + time};
    }
    if (const auto day = body.date("expires_on")) {
        return std::optional<WallTime>{provisioning::end_of(*day)};
    }
    return std::optional<WallTime>{};
}

Result<Response> create_token(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    const auto role = provisioning::from_string<Role>(body.text("role"));
    if (!role || *role == Role::device) {
        return wrong_fields({{"/role", "must be admin, teacher, assistant, student or projector"}});
    }
    IOTSKY_TRY(expires_at, expiry_of(services, body));
    IOTSKY_TRY(made, services.registry.tokens.create(request.caller,
                                                     {body.text("name"), *role, body.text("class"),
                                                      body.text("project"), expires_at}));
    return secret_response(201, token_json(made.details), "token", made.token.view());
}

Result<Response> list_tokens(Services& services, const Request& request) {
    IOTSKY_TRY(listing, services.registry.tokens.list(request.caller, page_of(request)));
    return listing_response(listing, token_json);
}

Result<Response> revoke_token(Services& services, const Request& request) {
    IOTSKY_TRY(record, services.registry.tokens.revoke(request.caller, request.param("token")));
    return json_response(200,
                         json::object{{"revoked", record.id.format(provisioning::kTokenPrefix)}});
}

constexpr std::array kRoutes{
    Route{.method = Method::post,
          .pattern = "/api/v1/tokens",
          .handler = create_token,
          .summary = "Make a token; it is shown once",
          .body = BodyKind::json,
          .fields = kCreate,
          .success = 201},
    Route{.method = Method::get,
          .pattern = "/api/v1/tokens",
          .handler = list_tokens,
          .summary = "List tokens",
          .query = kListQuery},
    Route{.method = Method::delete_,
          .pattern = "/api/v1/tokens/{token}",
          .handler = revoke_token,
          .summary = "Revoke a token"},
};

}  // namespace

std::span<const Route> token_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
