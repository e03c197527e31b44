#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::array kCheck{
    Field{"toml", FieldType::text, Presence::required, "a whole configuration file"}};

Result<Response> show_config(Services& services, const Request& /*request*/) {
    json::array values;
    for (const ConfigValue& value : services.machine.config()) {
        values.push_back(json::object{
            {"key", value.key}, {"value", embedded(value.value_json)}, {"origin", value.origin}});
    }
    return json_response(200, json::object{{"values", std::move(values)}});
}

Result<Response> check_config(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_CHECK(services.machine.check_config(body.text("toml")));
    return json_response(200, json::object{{"valid", true}});
}

Result<Response> reload_config(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(report, services.machine.reload_config());
    IOTSKY_CHECK(services.registry.audit.note(request.caller, "config.reload", "config"));
    return json_response(200, json::object{{"changed", text_array(report.changed)},
                                           {"needs_restart", text_array(report.needs_restart)}});
}

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/api/v1/config",
          .handler = show_config,
          .summary = "Show every setting and where it comes from"},
    Route{.method = Method::post,
          .pattern = "/api/v1/config:check",
          .handler = check_config,
          .summary = "Check a configuration without using it",
          .body = BodyKind::json,
          .fields = kCheck},
    Route{.method = Method::post,
          .pattern = "/api/v1/config:reload",
          .handler = reload_config,
          .summary = "Read the configuration again, all or nothing",
          .body = BodyKind::json},
};

}  // namespace

std::span<const Route> config_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
