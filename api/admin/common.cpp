#include "api/admin/common.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "provisioning/names.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kPageRows = 100;
constexpr std::chrono::hours kDurationMax{24 * 3660};

struct Unit {
    std::string_view name;
    std::int64_t seconds;
};
constexpr std::array kUnits{Unit{"s", 1}, Unit{"min", 60}, Unit{"h", 3600}, Unit{"d", 86'400}};

/// All digits, no sign.
std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return number;
}

}  // namespace

provisioning::PageRequest page_of(const Request& request) {
    return {request.query_value("cursor").value_or(""),
            static_cast<std::size_t>(request.query_number("limit", kPageRows))};
}

Result<std::optional<provisioning::Rev>> if_match(const Request& request) {
    std::string_view text = request.if_match;
    if (text.empty() || text == "*") {
        return std::optional<provisioning::Rev>{};
    }
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text = text.substr(1, text.size() - 2);
        if (const auto rev = parse_number(text)) {
            return std::optional<provisioning::Rev>{*rev};
        }
    }
    return wrong_fields({{"If-Match", "must be the ETag of the object, like \"3\" in quotes"}});
}

std::optional<std::string> idempotency_key(const Request& request) {
    return request.idempotency_key.empty() ? std::nullopt : std::optional{request.idempotency_key};
}

Result<std::chrono::seconds> parse_duration(std::string_view text, std::string_view pointer) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_number(text.substr(0, digits));
    const auto unit = std::ranges::find(kUnits, text.substr(digits), &Unit::name);
    const std::chrono::seconds longest{kDurationMax};
    if (number && unit != kUnits.end() &&
        *number <= static_cast<std::uint64_t>(longest.count() / unit->seconds)) {
        return std::chrono::seconds{static_cast<std::int64_t>(*number) * unit->seconds};
    }
    return wrong_fields(
        {{std::string{pointer}, "must be a time like \"90d\", \"36h\", \"15min\""}});
}

Result<Scope> scope_of(Services& services, const Caller& caller) {
    Scope scope;
    if (caller.role == Role::admin) {
        return scope;
    }
    if (!caller.class_id) {
        return out_of_scope("anything");  // a token of such a role has a class: in doubt, deny
    }
    const std::string class_id = caller.class_id->format(provisioning::kClassPrefix);
    const Caller reader{Role::admin, caller.actor, {}, {}};
    IOTSKY_TRY(record, services.registry.classes.show(reader, class_id));
    scope.class_name = record.name;
    if (caller.project_id) {
        const std::string project_id = caller.project_id->format(provisioning::kProjectPrefix);
        IOTSKY_TRY(project, services.registry.projects.show(reader, class_id, project_id));
        scope.project = project.record.name;
    }
    return scope;
}

Result<void> narrow(Services& services, const Caller& caller, ClientSelector& selector) {
    IOTSKY_TRY(scope, scope_of(services, caller));
    if (!scope.class_name) {
        return {};
    }
    if (selector.class_name && selector.class_name != scope.class_name) {
        return out_of_scope("class " + *selector.class_name);
    }
    selector.class_name = scope.class_name;
    selector.project = scope.project;
    return {};
}

Result<std::string> path_of_thing(Services& services, const Caller& caller,
                                  std::string_view thing) {
    IOTSKY_TRY(details, services.registry.things.show(caller, thing));
    return details.record.path();
}

Result<ClientSelector> clients_of(Services& services, const Request& request) {
    ClientSelector selector;
    selector.class_name = request.query_value("class");
    selector.client_id = request.query_value("client_id");
    selector.listener = request.query_value("listener");
    if (const auto thing = request.query_value("thing")) {
        IOTSKY_TRY(path, path_of_thing(services, request.caller, *thing));
        selector.thing_path = path;
    }
    IOTSKY_CHECK(narrow(services, request.caller, selector));
    return selector;
}

json::array ca_json(const certs::Authority& authority) {
    return {authority.certificate(certs::CaRole::server).pem(),
            authority.certificate(certs::CaRole::server_next).pem()};
}

BundleInput bundle_of(Services& services, const provisioning::ThingRecord& thing,
                      const provisioning::Provisioned& made, std::string wifi_ssid) {
    BundleInput bundle;
    bundle.name = thing.name;
    std::ranges::replace(bundle.name, ':', '_');  // names files; a classless one may hold colons
    bundle.path = thing.path();
    bundle.publish = made.topics.publish;
    bundle.subscribe = made.topics.subscribe;
    bundle.endpoint = services.machine.status().endpoint;
    bundle.serial = made.certificate->serial;
    bundle.not_after =
        made.certificate->not_after ? format_utc(*made.certificate->not_after) : std::string{};
    bundle.certificate_pem = made.certificate->pem;
    bundle.private_key_pem = made.private_key->clone();
    bundle.ca_pem = services.authority.certificate(certs::CaRole::server).pem();
    bundle.ca_next_pem = services.authority.certificate(certs::CaRole::server_next).pem();
    bundle.wifi_ssid = std::move(wifi_ssid);
    return bundle;
}

Response secret_response(unsigned status, const json::object& body, std::string_view name,
                         std::string_view secret) {
    Response response = json_response(status, body);
    response.secret = true;
    std::string& text = response.body;
    text.reserve(text.size() + 2 * secret.size() + name.size() + 8);  // never moved again
    text.pop_back();
    text += (body.empty() ? "\"" : ",\"") + std::string{name} + "\":\"";
    for (const char c : secret) {
        c == '\n' ? text += "\\n" : text += c;  // PEM and tokens: nothing else needs an escape
    }
    text += "\"}";
    return response;
}

Response identity_response(Services& services, const Request& request,
                           const provisioning::Provisioned& made, json::object body) {
    body["ca"] = ca_json(services.authority);
    body["endpoint"] = endpoint_json(services.machine.status().endpoint);
    body["effective"] = made.effective;
    if (!made.private_key) {
        return json_response(201, body);
    }
    if (made.thing && made.certificate) {
        const std::string id = made.thing->id.format(provisioning::kThingPrefix);
        const std::string ticket =
            services.tickets.put(id, bundle_of(services, *made.thing, made, {}));
        body["bundle_url"] = "/api/v1/things/" + id + "/bundle?once=" + ticket;
    }
    Response response = secret_response(201, body, "private_key", made.private_key->view());
    if (!request.idempotency_key.empty()) {
        response.delivered = [&registry = services.registry, caller = request.caller,
                              key = request.idempotency_key](bool whole) {
            if (whole) {
                registry.delivered(caller, key);
            }
        };
    }
    return response;
}

}  // namespace iotsky::api
