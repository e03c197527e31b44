#pragma once

// Internal to api/: this header has Boost.JSON in it.

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/broker_admin.hpp"
#include "api/handshake_log.hpp"
#include "api/machine.hpp"
#include "api/response.hpp"
#include "provisioning/refusal_log.hpp"
#include "provisioning/registry.hpp"

/// Objects as JSON (docs/http-api.md, section 2) and answers around them. Thread: any (pure).
namespace iotsky::api {

[[nodiscard]] Response json_response(unsigned status, const boost::json::value& value);
/// With `ETag: "<rev>"`.
[[nodiscard]] Response with_rev(Response response, provisioning::Rev rev);
/// {"items":[...],"next_cursor":".."}.
[[nodiscard]] Response page_response(boost::json::array items,
                                     const std::optional<std::string>& next);

template <typename T, typename Render>
[[nodiscard]] Response listing_response(const provisioning::Listing<T>& listing, Render render) {
    boost::json::array items;
    for (const T& item : listing.items) {
        items.push_back(render(item));
    }
    return page_response(std::move(items), listing.next);
}

[[nodiscard]] boost::json::value text_or_null(const std::optional<std::string>& text);
[[nodiscard]] boost::json::value time_or_null(const std::optional<WallTime>& time);
[[nodiscard]] boost::json::value text_or_null(std::string_view text);  ///< null when empty
[[nodiscard]] boost::json::array text_array(const std::vector<std::string>& texts);
/// A JSON text of our own (an event's body) as a value; null should it not parse.
[[nodiscard]] boost::json::value embedded(std::string_view text);

[[nodiscard]] boost::json::object class_json(const provisioning::ClassRecord& row, WallTime now);
[[nodiscard]] boost::json::object student_json(const provisioning::StudentDetails& details);
[[nodiscard]] boost::json::object project_json(const provisioning::ProjectDetails& details);
[[nodiscard]] boost::json::object thing_json(const provisioning::ThingRecord& row);
[[nodiscard]] boost::json::object topics_json(const provisioning::DefaultTopics& topics);
[[nodiscard]] boost::json::object certificate_json(const provisioning::CertificateRecord& row,
                                                   const std::vector<std::string>& things);
[[nodiscard]] boost::json::object policy_json(const provisioning::PolicyRecord& row);
[[nodiscard]] boost::json::object target_json(const provisioning::TargetName& target);
[[nodiscard]] boost::json::object token_json(const provisioning::TokenDetails& details);
[[nodiscard]] boost::json::object event_json(const provisioning::Event& event);
[[nodiscard]] boost::json::object refusal_json(const provisioning::Refusal& refusal);
[[nodiscard]] boost::json::object handshake_json(const HandshakeFailure& failure);
[[nodiscard]] boost::json::object connection_json(const ConnectionInfo& info);
[[nodiscard]] boost::json::object session_json(const SessionInfo& info);
[[nodiscard]] boost::json::object retained_json(const RetainedInfo& info);
[[nodiscard]] boost::json::object endpoint_json(const Endpoint& endpoint);

/// "7b/otter/weather" -> {"7b","otter"}; empty for a classless thing.
struct PathParts {
    std::string class_name;
    std::string project;
};
[[nodiscard]] PathParts parts_of_path(const std::string& path);

}  // namespace iotsky::api
