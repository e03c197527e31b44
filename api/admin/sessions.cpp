#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

Result<Response> list_sessions(Services& services, const Request& request) {
    return list_clients<SessionInfo>(
        services, request,
        [&](const ClientSelector& which, std::size_t limit, auto answer) {
            services.broker.sessions(which, limit, std::move(answer));
        },
        session_json);
}

/// The session, if it is within what the caller may see.
Result<SessionInfo> find_session(Services& services, const Request& request) {
    IOTSKY_TRY(info, ask_broker<SessionInfo>(services, [&](auto answer) {
                   services.broker.session(request.param("session"), std::move(answer));
               }));
    IOTSKY_TRY(scope, scope_of(services, request.caller));
    const PathParts parts = parts_of_path(info.thing_path);
    if ((scope.class_name && *scope.class_name != parts.class_name) ||
        (scope.project && *scope.project != parts.project)) {
        return out_of_scope("this session");
    }
    return info;
}

Result<Response> show_session(Services& services, const Request& request) {
    IOTSKY_TRY(info, find_session(services, request));
    json::array filters;
    for (const SubscriptionInfo& filter : info.filters) {
        filters.push_back(json::object{{"filter", filter.filter}, {"qos", filter.qos}});
    }
    json::object out = session_json(info);
    out["filters"] = std::move(filters);
    return json_response(200, out);
}

Result<Response> drop_session(Services& services, const Request& request) {
    IOTSKY_TRY(info, find_session(services, request));
    IOTSKY_CHECK(ask_broker<void>(
        services, [&](auto answer) { services.broker.drop_session(info.id, std::move(answer)); }));
    return json_response(200, json::object{{"deleted", info.id}});
}

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/api/v1/sessions",
          .needs = Rank::assistant,
          .handler = list_sessions,
          .summary = "List sessions",
          .query = kClientQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/sessions/{session}",
          .needs = Rank::assistant,
          .handler = show_session,
          .summary = "Show a session with its subscriptions"},
    Route{.method = Method::delete_,
          .pattern = "/api/v1/sessions/{session}",
          .needs = Rank::teacher,
          .handler = drop_session,
          .summary = "Close a session's connection and forget it, its queue too"},
};

}  // namespace

std::span<const Route> session_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
