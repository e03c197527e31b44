#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;
using provisioning::ChainMode;

constexpr std::array kRun{
    Field{"step", FieldType::text, Presence::optional, "name of a step; this or chain"},
    Field{"chain", FieldType::text, Presence::optional, "name of a chain: create-thing"},
    Field{"event", FieldType::document, Presence::required, "what the step is to work on"},
    Field{"mode", FieldType::text, Presence::optional,
          "dry_run (default): nothing is kept; scratch: what the event names is imagined, too; "
          "real"},
};

Result<Response> list_steps(Services& services, const Request& /*request*/) {
    json::array steps;
    for (const provisioning::StepInfo& step : services.registry.chain.steps()) {
        steps.push_back(json::object{{"name", step.name}, {"summary", step.summary}});
    }
    return json_response(200, json::object{{"steps", std::move(steps)},
                                           {"chains", text_array(provisioning::Chain::chains())}});
}

Result<ChainMode> mode_of(const Body& body) {
    const std::string word = body.text("mode", "dry_run");
    if (word == "dry_run") {
        return ChainMode::dry_run;
    }
    if (word == "scratch") {
        return ChainMode::scratch;
    }
    if (word == "real") {
        return ChainMode::real;
    }
    return wrong_fields({{"/mode", "must be dry_run, scratch or real"}});
}

Result<provisioning::ChainOutcome> run(Services& services, const Request& request, const Body& body,
                                       ChainMode mode) {
    const std::string event = body.document("event");
    if (body.has("step") == body.has("chain")) {
        return wrong_fields({{"/step", "name a step or a chain"}});
    }
    if (body.has("step")) {
        return services.registry.chain.run_step(request.caller, body.text("step"), event, mode);
    }
    return services.registry.chain.run_chain(request.caller, body.text("chain"), event, mode);
}

Result<Response> run_chain(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(mode, mode_of(body));
    IOTSKY_TRY(outcome, run(services, request, body, mode));
    json::array events;
    for (const std::string& event : outcome.events) {
        events.push_back(embedded(event));
    }
    const json::object out{{"steps", text_array(outcome.steps)},
                           {"mode", body.text("mode", "dry_run")},
                           {"events", std::move(events)}};
    if (!outcome.private_key) {
        return json_response(200, out);
    }
    return secret_response(200, out, "private_key", outcome.private_key->view());
}

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/api/v1/chain",
          .handler = list_steps,
          .summary = "List the steps of provisioning"},
    Route{.method = Method::post,
          .pattern = "/api/v1/chain:run",
          .handler = run_chain,
          .summary = "Run one step, or a chain, on an event",
          .body = BodyKind::json,
          .fields = kRun},
};

}  // namespace

std::span<const Route> chain_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
