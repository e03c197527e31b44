#include <array>
#include <limits>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "base/text.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kSeqMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kWaitMaxS = 60;

constexpr QueryField kAfter{"after", QueryType::number, "only with a higher number", 0, kSeqMax};
constexpr std::array kEventQuery{
    kLimitField, kAfter,
    QueryField{"wait", QueryType::number, "seconds to wait for one", 0, kWaitMaxS},
    QueryField{"kind", QueryType::text, "first part of the kind, e.g. thing."}};
constexpr std::array kAuditQuery{kLimitField, kAfter};

Result<Response> list_events(Services& services, const Request& request) {
    const auto after = static_cast<std::uint64_t>(request.query_number("after", 0));
    const auto limit = static_cast<std::size_t>(request.query_number("limit", 100));
    const std::string kind = request.query_value("kind").value_or("");
    IOTSKY_TRY(events, services.registry.events.after(request.caller, after, limit));
    json::array items;
    for (const provisioning::Event& event : events) {
        if (event.kind.starts_with(kind)) {
            items.push_back(event_json(event));
        }
    }
    const bool nothing_yet = items.empty() && events.size() < limit;
    const std::uint64_t next_after = events.empty() ? after : events.back().seq;
    Response response =
        json_response(200, json::object{{"items", std::move(items)}, {"next_after", next_after}});
    response.nothing_yet = nothing_yet;
    return response;
}

json::object audit_json(const provisioning::AuditEntry& entry) {
    return {{"seq", entry.seq},          {"at", format_utc(entry.at)},
            {"actor", entry.actor},      {"action", entry.action},
            {"object", entry.object},    {"detail", embedded(entry.detail)},
            {"hash", to_hex(entry.hash)}};
}

Result<Response> list_audit(Services& services, const Request& request) {
    const auto after = static_cast<std::uint64_t>(request.query_number("after", 0));
    const auto limit = static_cast<std::size_t>(request.query_number("limit", 100));
    IOTSKY_TRY(entries, services.registry.audit.after(request.caller, after, limit));
    json::array items;
    for (const provisioning::AuditEntry& entry : entries) {
        items.push_back(audit_json(entry));
    }
    const std::uint64_t next_after = entries.empty() ? after : entries.back().seq;
    return json_response(200,
                         json::object{{"items", std::move(items)}, {"next_after", next_after}});
}

Result<Response> verify_audit(Services& services, const Request& request) {
    IOTSKY_TRY(verdict, services.registry.audit.verify(request.caller));
    json::object out{{"valid", !verdict.broken.has_value()},
                     {"entries", verdict.entries},
                     {"head", to_hex(verdict.head)}};
    if (verdict.broken) {
        out["broken"] = json::object{{"seq", verdict.broken->seq}, {"why", verdict.broken->why}};
    }
    return json_response(200, out);
}

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/api/v1/events",
          .handler = list_events,
          .summary = "Read events of the registry; waits for one when asked",
          .query = kEventQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/audit",
          .handler = list_audit,
          .summary = "Read the audit log",
          .query = kAuditQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/audit:verify",
          .handler = verify_audit,
          .summary = "Check the chain of the audit log"},
};

}  // namespace

std::span<const Route> event_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
