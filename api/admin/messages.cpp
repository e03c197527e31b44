#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "api/base64.hpp"
#include "broker/mqtt/topic.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::array kListQuery{kLimitField, kCursorField,
                                QueryField{"filter", QueryType::text, "Topic Filter; default #"}};
constexpr std::array kDeleteQuery{QueryField{"filter", QueryType::text, "Topic Filter"},
                                  kDryRunField};
constexpr std::array kPublish{
    Field{"topic", FieldType::text, Presence::required, "Topic Name"},
    Field{"payload", FieldType::text, Presence::optional, "as text"},
    Field{"payload_base64", FieldType::text, Presence::optional, "instead of payload"},
    Field{"qos", FieldType::integer, Presence::optional, "0 (default), 1 or 2"},
    Field{"retain", FieldType::boolean, Presence::optional, "false by default"},
};
constexpr std::size_t kCountedMax = 1'000'000;

/// Where a caller that is narrowed may look: "7b/", "7b/otter/"; empty for the admin.
Result<std::string> prefix_of(Services& services, const Caller& caller) {
    IOTSKY_TRY(scope, scope_of(services, caller));
    std::string prefix;
    if (scope.class_name) {
        prefix = *scope.class_name + "/" + (scope.project ? *scope.project + "/" : "");
    }
    return prefix;
}

/// A filter that cannot leave the caller's part of the topics.
Result<std::string> checked_filter(Services& services, const Request& request,
                                   std::string_view fallback) {
    IOTSKY_TRY(prefix, prefix_of(services, request.caller));
    std::string filter = request.query_value("filter").value_or(std::string{fallback});
    if (filter == "#" && !prefix.empty()) {
        filter = prefix + "#";
    }
    if (!mqtt::is_valid_topic_filter(filter)) {
        return bad_query("filter", "must be a Topic Filter, \"#\" written as %23");
    }
    if (!filter.starts_with(prefix)) {
        return out_of_scope(filter);
    }
    return filter;
}

Result<Response> list_retained(Services& services, const Request& request) {
    IOTSKY_TRY(filter, checked_filter(services, request, "#"));
    const auto page = page_of(request);
    IOTSKY_TRY(found, ask_broker<std::vector<RetainedInfo>>(services, [&](auto answer) {
                   services.broker.retained(filter, page.cursor, page.limit + 1, std::move(answer));
               }));
    std::optional<std::string> next;
    if (found.size() > page.limit) {
        found.resize(page.limit);
        next = found.back().topic;
    }
    json::array items;
    for (const RetainedInfo& info : found) {
        items.push_back(retained_json(info));
    }
    return page_response(std::move(items), next);
}

Result<std::uint64_t> count_retained(Services& services, const std::string& filter) {
    IOTSKY_TRY(found, ask_broker<std::vector<RetainedInfo>>(services, [&](auto answer) {
                   services.broker.retained(filter, {}, kCountedMax, std::move(answer));
               }));
    return std::uint64_t{found.size()};
}

Result<Response> delete_retained(Services& services, const Request& request) {
    if (!request.query_value("filter")) {
        return bad_query("filter", "is missing");
    }
    IOTSKY_TRY(filter, checked_filter(services, request, ""));
    const bool dry_run = request.query_flag("dry_run");
    IOTSKY_TRY(count, dry_run ? count_retained(services, filter)
                              : ask_broker<std::uint64_t>(services, [&](auto answer) {
                                    services.broker.delete_retained(filter, std::move(answer));
                                }));
    return json_response(200, json::object{{"deleted", count}, {"dry_run", dry_run}});
}

Result<std::string> payload_of(const Body& body) {
    const auto encoded = body.optional_text("payload_base64");
    if (!encoded) {
        return body.text("payload");
    }
    if (body.has("payload")) {
        return wrong_fields({{"/payload_base64", "instead of payload, not with it"}});
    }
    auto payload = base64_decode(*encoded);
    if (!payload) {
        return wrong_fields({{"/payload_base64", "is not base64 with padding"}});
    }
    return std::move(*payload);
}

Result<Response> publish(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(payload, payload_of(body));
    const std::string topic = body.text("topic");
    const std::int64_t qos = body.integer("qos").value_or(0);
    if (qos < 0 || qos > 2) {
        return wrong_fields({{"/qos", "must be 0, 1 or 2"}});
    }
    if (!mqtt::is_valid_topic_name(topic) || topic.starts_with('$')) {
        return wrong_fields({{"/topic", "must be a Topic Name without wildcards, not below $"}});
    }
    IOTSKY_TRY(prefix, prefix_of(services, request.caller));
    if (!topic.starts_with(prefix)) {
        return out_of_scope(topic);
    }
    IOTSKY_TRY(matched, ask_broker<std::uint64_t>(services, [&](auto answer) {
                   services.broker.publish({topic, std::move(payload),
                                            static_cast<std::uint8_t>(qos), body.flag("retain")},
                                           std::move(answer));
               }));
    return json_response(200, json::object{{"matched", matched}});
}

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/api/v1/retained",
          .needs = Rank::student,
          .handler = list_retained,
          .summary = "List retained messages",
          .query = kListQuery},
    Route{.method = Method::delete_,
          .pattern = "/api/v1/retained",
          .needs = Rank::teacher,
          .handler = delete_retained,
          .summary = "Delete retained messages",
          .query = kDeleteQuery},
    Route{.method = Method::post,
          .pattern = "/api/v1/publish",
          .needs = Rank::teacher,
          .handler = publish,
          .summary = "Publish a message",
          .body = BodyKind::json,
          .fields = kPublish},
};

}  // namespace

std::span<const Route> message_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
