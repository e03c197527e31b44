#include <array>
#include <charconv>
#include <limits>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "provisioning/names.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kSeqMax = std::numeric_limits<std::int64_t>::max();

constexpr std::array kListQuery{
    kLimitField, QueryField{"class", QueryType::text, "name"},
    QueryField{"thing", QueryType::text, "path or id"},
    QueryField{"after", QueryType::number, "only with a higher number", 0, kSeqMax}};
constexpr std::array kThingQuery{
    kLimitField, QueryField{"after", QueryType::number, "only with a higher number", 0, kSeqMax}};
constexpr std::array kHandshakeQuery{kLimitField, kCursorField,
                                     QueryField{"address", QueryType::text, "without port"}};

Response refusals_response(Services& services, const provisioning::RefusalQuery& query) {
    json::array items;
    for (const auto& refusal : services.refusals.list(query)) {
        items.push_back(refusal_json(refusal));
    }
    return page_response(std::move(items), std::nullopt);
}

provisioning::RefusalQuery query_of(const Request& request) {
    provisioning::RefusalQuery query;
    query.after = static_cast<std::uint64_t>(request.query_number("after", 0));
    query.limit = static_cast<std::size_t>(request.query_number("limit", 100));
    return query;
}

Result<Response> list_refusals(Services& services, const Request& request) {
    provisioning::RefusalQuery query = query_of(request);
    ClientSelector selector;
    selector.class_name = request.query_value("class");
    IOTSKY_CHECK(narrow(services, request.caller, selector));
    query.class_name = selector.class_name.value_or("");
    if (const auto thing = request.query_value("thing")) {
        IOTSKY_TRY(details, services.registry.things.show(request.caller, *thing));
        query.thing_id = details.record.id.format(provisioning::kThingPrefix);
    }
    return refusals_response(services, query);
}

Result<Response> list_thing_refusals(Services& services, const Request& request) {
    IOTSKY_TRY(details, services.registry.things.show(request.caller, request.param("thing")));
    provisioning::RefusalQuery query = query_of(request);
    query.thing_id = details.record.id.format(provisioning::kThingPrefix);
    return refusals_response(services, query);
}

/// The number below which the next page begins.
Result<std::uint64_t> parse_cursor(std::string_view text) {
    std::uint64_t before = std::numeric_limits<std::uint64_t>::max();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), before);
    if (!text.empty() && (error != std::errc{} || end != text.data() + text.size())) {
        return bad_query("cursor", "must be next_cursor of the page before");
    }
    return before;
}

Result<Response> list_handshakes(Services& services, const Request& request) {
    const auto page = page_of(request);
    IOTSKY_TRY(before, parse_cursor(page.cursor));
    const auto failures =
        services.handshakes.list(request.query_value("address").value_or(""), before, page.limit);
    json::array items;
    for (const HandshakeFailure& failure : failures) {
        items.push_back(handshake_json(failure));
    }
    std::optional<std::string> next;
    if (failures.size() == page.limit) {
        next = std::to_string(failures.back().seq);
    }
    return page_response(std::move(items), next);
}

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/api/v1/refusals",
          .needs = Rank::assistant,
          .handler = list_refusals,
          .summary = "List what was refused lately, newest first",
          .query = kListQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/things/{thing}/refusals",
          .needs = Rank::student,
          .handler = list_thing_refusals,
          .summary = "List what was refused to a thing, newest first",
          .query = kThingQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/handshakes",
          .needs = Rank::assistant,
          .handler = list_handshakes,
          .summary = "List failed handshakes in words, newest first",
          .query = kHandshakeQuery},
};

}  // namespace

std::span<const Route> refusal_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
