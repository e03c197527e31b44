#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::array kListQuery{kLimitField, QueryField{"class", QueryType::text, "name"},
                                QueryField{"thing", QueryType::text, "path or id"},
                                QueryField{"client_id", QueryType::text, "exactly"},
                                QueryField{"listener", QueryType::text, "name"}};

Result<Response> list_sessions(Services& services, const Request& request) {
    IOTSKY_TRY(selector, clients_of(services, request));
    const auto limit = static_cast<std::size_t>(request.query_number("limit", 100));
    IOTSKY_TRY(sessions, ask_broker<std::vector<SessionInfo>>(services, [&](auto answer) {
                   services.broker.sessions(selector, limit, std::move(answer));
               }));
    json::array items;
    for (const SessionInfo& info : sessions) {
        items.push_back(session_json(info));
    }
    return page_response(std::move(items), std::nullopt);
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
          .query = kListQuery},
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
