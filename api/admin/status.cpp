#include <array>

#include "api/admin/common.hpp"
#include "api/admin/counts.hpp"
#include "api/admin/routes.hpp"
#include "api/openapi.hpp"
#include "api/table.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

std::uint64_t sum(const std::vector<LabelledCount>& rows) {
    std::uint64_t total = 0;
    for (const LabelledCount& row : rows) {
        total += row.count;
    }
    return total;
}

std::uint64_t connections_of(const BrokerStats& stats, const std::string& listener) {
    std::uint64_t total = 0;
    for (const LabelledCount& row : stats.connections) {
        total += !row.labels.empty() && row.labels.front() == listener ? row.count : 0;
    }
    return total;
}

json::array listeners_json(const MachineStatus& machine, const BrokerStats& stats) {
    json::array out;
    for (const ListenerStatus& listener : machine.listeners) {
        out.push_back(json::object{
            {"name", listener.name},
            {"protocol", listener.protocol},
            {"address", listener.address},
            {"security", listener.security},
            {"durability", text_or_null(std::string_view{listener.durability})},
            {"durability_meaning", text_or_null(std::string_view{listener.durability_meaning})},
            {"connections", connections_of(stats, listener.name)}});
    }
    return out;
}

void add_broker(const BrokerStats& stats, json::object& out) {
    out["connections"] = sum(stats.connections);
    out["sessions"] = stats.sessions_connected + stats.sessions_disconnected;
    out["subscriptions"] = stats.subscriptions;
    out["retained"] =
        json::object{{"messages", stats.retained_messages}, {"bytes", stats.retained_bytes}};
    out["queued"] =
        json::object{{"messages", stats.queued_messages}, {"bytes", stats.queued_bytes}};
    out["messages"] = json::object{{"received", sum(stats.publish_received)},
                                   {"sent", sum(stats.publish_sent)},
                                   {"dropped", sum(stats.publish_dropped)}};
    out["refusals"] = sum(stats.refusals);
    out["failed_handshakes"] = stats.failed_handshakes;
    out["log"] = json::object{{"healthy", stats.log_accepting},
                              {"pending_bytes", stats.log_pending_bytes},
                              {"why", stats.log_reason}};
}

/// Whether everything works; "" or why not.
std::string not_ready_why(const MachineStatus& machine, const Result<BrokerStats>& stats) {
    if (!machine.ready) {
        return machine.not_ready_why.empty() ? "starting" : machine.not_ready_why;
    }
    if (!stats) {
        return stats.error().message;
    }
    return stats->log_accepting ? std::string{} : stats->log_reason;
}

Result<BrokerStats> broker_stats(Services& services) {
    return ask_broker<BrokerStats>(services,
                                   [&](auto answer) { services.broker.stats(std::move(answer)); });
}

Result<Response> show_status(Services& services, const Request& /*request*/) {
    const MachineStatus machine = services.machine.status();
    const auto stats = broker_stats(services);
    const WallTime now = services.clock.wall_now();
    const RegistryCounts counts = count_registry(services.registry.view(), now);
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(now - machine.started_at);
    json::object out{
        {"version", machine.version},
        {"revision", machine.revision},
        {"started_at", format_utc(machine.started_at)},
        {"uptime_s", uptime.count()},
        {"durability",
         json::object{{"mode", machine.durability_mode}, {"meaning", machine.durability_meaning}}},
        {"endpoint", endpoint_json(machine.endpoint)},
        {"ca_fingerprint",
         services.authority.certificate(certs::CaRole::server).fingerprint().hex()},
        {"registry",
         json::object{{"things", counts.things}, {"certificates", counts.certificates}}},
        {"warnings", text_array(machine.warnings)},
    };
    const std::string why = not_ready_why(machine, stats);
    out["ready"] = why.empty();
    out["not_ready_why"] = text_or_null(std::string_view{why});
    const BrokerStats broker = stats ? *stats : BrokerStats{};
    out["listeners"] = listeners_json(machine, broker);
    add_broker(broker, out);
    return json_response(200, out);
}

Result<Response> live(Services& /*services*/, const Request& /*request*/) {
    return json_response(200, json::object{{"status", "live"}});
}

Result<Response> ready(Services& services, const Request& /*request*/) {
    const std::string why = not_ready_why(services.machine.status(), broker_stats(services));
    if (why.empty()) {
        return json_response(200, json::object{{"status", "ready"}});
    }
    return json_response(503, json::object{{"status", "not_ready"}, {"why", why}});
}

Result<Response> openapi(Services& services, const Request& /*request*/) {
    Response response;
    response.body = openapi_document(route_table(), services.machine.status().version);
    return response;
}

constexpr Route health(std::string_view pattern, Handler handler, std::string_view summary) {
    return Route{.method = Method::get,
                 .pattern = pattern,
                 .needs = Rank::none,
                 .handler = handler,
                 .summary = summary,
                 .door = Door::open};
}

constexpr std::string_view kLiveSummary = "Say that the program runs";
constexpr std::string_view kReadySummary = "Say whether the broker takes and keeps messages";

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/api/v1/status",
          .needs = Rank::projector,
          .handler = show_status,
          .summary = "Show how everything is, on one screen"},
    health("/health/live", live, kLiveSummary),
    health("/health/ready", ready, kReadySummary),
    health("/api/v1/health/live", live, kLiveSummary),
    health("/api/v1/health/ready", ready, kReadySummary),
    health("/api/v1/openapi.json", openapi, "This document"),
};

}  // namespace

std::span<const Route> status_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
