#include "api/table.hpp"

#include <vector>

#include "api/admin/routes.hpp"
#include "provisioning/registry.hpp"

namespace iotsky::api {
namespace {

std::vector<Route> join() {
    std::vector<Route> table;
    for (const auto rows :
         {class_routes(),      student_routes(),     project_routes(), thing_routes(),
          bundle_routes(),     certificate_routes(), policy_routes(),  explain_routes(),
          connection_routes(), session_routes(),     message_routes(), refusal_routes(),
          event_routes(),      token_routes(),       status_routes(),  metrics_routes(),
          ca_routes(),         config_routes(),      chain_routes(),   backup_routes()}) {
        table.insert(table.end(), rows.begin(), rows.end());
    }
    return table;
}

}  // namespace

std::span<const Route> route_table() {
    static const std::vector<Route> table = join();
    return table;
}

TokenLookup token_lookup(provisioning::Registry& registry) {
    return [&registry](std::string_view token) { return registry.tokens.authenticate(token); };
}

}  // namespace iotsky::api
