#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::array kKick{
    Field{"class", FieldType::text, Presence::optional, "name"},
    Field{"thing", FieldType::text, Presence::optional, "path or id"},
    Field{"client_id", FieldType::text, Presence::optional, ""},
    Field{"identity", FieldType::text, Presence::optional, "as connections show it"},
    Field{"address", FieldType::text, Presence::optional, "without port"},
    Field{"certificate", FieldType::text, Presence::optional, "id, serial or fingerprint"},
};

Result<Response> list_connections(Services& services, const Request& request) {
    return list_clients<ConnectionInfo>(
        services, request,
        [&](const ClientSelector& which, std::size_t limit, auto answer) {
            services.broker.connections(which, limit, std::move(answer));
        },
        connection_json);
}

Result<ClientSelector> kick_selector(Services& services, const Request& request, const Body& body) {
    ClientSelector selector;
    selector.class_name = body.optional_text("class");
    selector.client_id = body.optional_text("client_id");
    selector.identity = body.optional_text("identity");
    selector.address = body.optional_text("address");
    if (const auto thing = body.optional_text("thing")) {
        IOTSKY_TRY(path, path_of_thing(services, request.caller, *thing));
        selector.thing_path = path;
    }
    if (const auto name = body.optional_text("certificate")) {
        IOTSKY_TRY(details, services.registry.certificates.show(request.caller, *name));
        if (details.record.fingerprint) {
            selector.certificate = details.record.fingerprint->hex();
        }
    }
    if (selector.empty()) {
        return wrong_fields({{"/", "name at least one of the fields: all clients would go"}});
    }
    IOTSKY_CHECK(narrow(services, request.caller, selector));
    return selector;
}

Result<Response> kick_connections(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(selector, kick_selector(services, request, body));
    IOTSKY_TRY(kicked, ask_broker<std::uint64_t>(services, [&](auto answer) {
                   services.broker.kick(selector, std::move(answer));
               }));
    return json_response(200, json::object{{"kicked", kicked}});
}

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/api/v1/connections",
          .needs = Rank::student,
          .handler = list_connections,
          .summary = "List live connections",
          .query = kClientQuery},
    Route{.method = Method::post,
          .pattern = "/api/v1/connections:kick",
          .needs = Rank::teacher,
          .handler = kick_connections,
          .summary = "Close connections; they may connect again",
          .body = BodyKind::json,
          .fields = kKick},
};

}  // namespace

std::span<const Route> connection_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
