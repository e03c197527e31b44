#pragma once

// Internal to api/: what most handlers begin with.

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/admin/body.hpp"
#include "api/admin/render.hpp"
#include "api/errors.hpp"
#include "api/request.hpp"
#include "api/response.hpp"
#include "api/route.hpp"
#include "api/services.hpp"

namespace iotsky::api {

/// limit and cursor of a list; 100 rows unless told.
[[nodiscard]] provisioning::PageRequest page_of(const Request& request);
/// If-Match: "<rev>"; nullopt when absent or "*". Error: E4104.
[[nodiscard]] Result<std::optional<provisioning::Rev>> if_match(const Request& request);
/// The header's text; nullopt when absent.
[[nodiscard]] std::optional<std::string> idempotency_key(const Request& request);
/// "90d", "36h", "15min", "30s" up to ten years. Error: E4104 at `pointer`.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text,
                                                          std::string_view pointer);

/// Calls the broker and waits for its answer. Error: E4126 after services.broker_wait_max.
/// Thread: work.
template <typename T, typename Call>
[[nodiscard]] Result<T> ask_broker(const Services& services, Call&& call) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    std::future<Result<T>> future = promise->get_future();
    call(Answer<T>{[promise](Result<T> answer) { promise->set_value(std::move(answer)); }});
    if (future.wait_for(services.broker_wait_max) != std::future_status::ready) {
        return broker_silent();
    }
    return future.get();
}

/// What a caller that is narrowed to a class or project may see of the broker: its names; both
/// empty for the admin.
struct Scope {
    std::optional<std::string> class_name;
    std::optional<std::string> project;
};
[[nodiscard]] Result<Scope> scope_of(Services& services, const Caller& caller);

/// Clients that ?class=, ?thing=, ?client_id= and ?listener= choose, within the caller's scope.
/// Errors: E4118 outside of it, E2112 no such thing.
[[nodiscard]] Result<ClientSelector> clients_of(Services& services, const Request& request);
/// Puts the caller's scope onto a selection. Error: E4118.
[[nodiscard]] Result<void> narrow(Services& services, const Caller& caller,
                                  ClientSelector& selector);

/// Reads ?cascade=, ?dry_run= and If-Match and calls `remove(cascade, dry_run, rev)`, which deletes
/// a class or project; the answer says what went.
template <typename Remove>
[[nodiscard]] Result<Response> delete_group(const Request& request, Remove remove) {
    IOTSKY_TRY(rev, if_match(request));
    const bool dry_run = request.query_flag("dry_run");
    IOTSKY_TRY(changed, remove(request.query_flag("cascade"), dry_run, rev));
    return json_response(
        200, boost::json::object{{"deleted", changed.value.name},
                                 {"things", changed.value.things},
                                 {"certificates_revoked", changed.value.certificates_revoked},
                                 {"dry_run", dry_run},
                                 {"effective", changed.effective}});
}

/// What a list of connections or sessions may be narrowed by; see clients_of().
inline constexpr std::array kClientQuery{kLimitField, QueryField{"class", QueryType::text, "name"},
                                         QueryField{"thing", QueryType::text, "path or id"},
                                         QueryField{"client_id", QueryType::text, "exactly"},
                                         QueryField{"listener", QueryType::text, "name"}};

/// A page of clients: `ask(selector, limit, answer)` asks the broker, `render` makes each item.
template <typename Info, typename Ask, typename Render>
[[nodiscard]] Result<Response> list_clients(Services& services, const Request& request, Ask ask,
                                            Render render) {
    IOTSKY_TRY(selector, clients_of(services, request));
    const auto limit = static_cast<std::size_t>(request.query_number("limit", 100));
    IOTSKY_TRY(found, ask_broker<std::vector<Info>>(
                          services, [&](auto answer) { ask(selector, limit, std::move(answer)); }));
    boost::json::array items;
    for (const Info& info : found) {
        items.push_back(render(info));
    }
    return page_response(std::move(items), std::nullopt);
}

/// The path of a thing that the caller may see, given in any form. Errors: E2112, E4118.
[[nodiscard]] Result<std::string> path_of_thing(Services& services, const Caller& caller,
                                                std::string_view thing);

/// CA certificates that a device must trust: the server CA and the next one.
[[nodiscard]] boost::json::array ca_json(const certs::Authority& authority);

/// An answer with a secret text as the last member of `body`. It is written straight into the
/// answer, which the server wipes, and into no JSON value, which nobody would.
[[nodiscard]] Response secret_response(unsigned status, const boost::json::object& body,
                                       std::string_view name, std::string_view secret);

/// The answer of a call that made a certificate: `body` and ca, endpoint, effective, bundle_url,
/// private_key. The registry is told when the key of a call with an Idempotency-Key was delivered.
[[nodiscard]] Response identity_response(Services& services, const Request& request,
                                         const provisioning::Provisioned& made,
                                         boost::json::object body);

/// The files of a thing's bundle. `made` must hold a certificate and its key.
[[nodiscard]] BundleInput bundle_of(Services& services, const provisioning::ThingRecord& thing,
                                    const provisioning::Provisioned& made, std::string wifi_ssid);

}  // namespace iotsky::api
