#include <algorithm>
#include <array>

#include "acl/explain.hpp"
#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "certs/certificate.hpp"
#include "provisioning/registry_view.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;
using provisioning::CertificateStatus;
using ViewPtr = std::shared_ptr<const provisioning::CertificateView>;

constexpr std::array kFields{
    Field{"identity", FieldType::text, Presence::required, "a thing, or a certificate"},
    Field{"action", FieldType::text, Presence::required, "connect, publish, subscribe or receive"},
    Field{"topic", FieldType::text, Presence::optional, "Topic Name, or Topic Filter to subscribe"},
    Field{"client_id", FieldType::text, Presence::optional, "default: the thing's AWS name"},
    Field{"address", FieldType::text, Presence::optional, "of the client, for conditions"},
    Field{"qos", FieldType::integer, Presence::optional, "changes nothing in the verdict"},
    Field{"retain", FieldType::boolean, Presence::optional, "publish: asks for iot:RetainPublish"},
};

/// A certificate with what stands in it, for the variables of policies.
struct Identity {
    ViewPtr view;
    std::string pem;
};

Error no_certificate(const std::string& thing) {
    return make_error(Errc::conflict, "E3306", thing + " has no certificate.",
                      "Rights belong to a certificate; without one nothing can connect.",
                      "Make one: iotsky cert issue " + thing);
}

Result<Identity> identity_of(Services& services, const provisioning::CertificateRecord& row) {
    ViewPtr view;
    if (row.fingerprint) {
        view = services.registry.view().find(*row.fingerprint);
    }
    if (!view) {
        return own_fault("certificate " + row.serial + " is not in the view");
    }
    return Identity{std::move(view), row.pem};
}

/// The active certificate of a thing, or its newest.
Result<Identity> identity_of_thing(Services& services, const provisioning::ThingDetails& thing) {
    const auto& rows = thing.certificates;
    const auto active = std::find_if(rows.rbegin(), rows.rend(), [](const auto& row) {
        return row.status == CertificateStatus::active;
    });
    if (rows.empty()) {
        return no_certificate(thing.record.path());
    }
    return identity_of(services, active != rows.rend() ? *active : rows.back());
}

Result<Identity> find_identity(Services& services, const Caller& caller, const std::string& name) {
    const auto certificate = services.registry.certificates.show(caller, name);
    if (certificate) {
        return identity_of(services, certificate->record);
    }
    // "ce_..." and hexadecimal digits can be no path, so that only one of both is meant.
    IOTSKY_TRY(thing, services.registry.things.show(caller, name));
    return identity_of_thing(services, thing);
}

std::multimap<std::string, std::string> plain(const certs::NameFields& fields) {
    return {fields.begin(), fields.end()};
}

/// What the broker would know of a connection of this identity.
acl::Attributes attributes_of(const Identity& identity, const Body& body) {
    acl::Attributes out;
    const auto& view = *identity.view;
    out.source_ip = body.optional_text("address");
    out.certificate_serial = view.serial;
    out.certificate_id = view.fingerprint.hex();
    out.client_id = body.optional_text("client_id");
    if (view.thing) {
        out.client_id = body.text("client_id", view.thing->aws_name);
        out.thing_name = view.thing->aws_name;
        out.thing_type = view.thing->type;
        out.thing_attributes = {view.thing->attributes.begin(), view.thing->attributes.end()};
        out.thing_attached = true;
    }
    if (const auto certificate = certs::Certificate::parse(identity.pem)) {
        out.subject = plain(certificate->subject());
        out.issuer = plain(certificate->issuer());
        out.subject_alternative_name = plain(certificate->alternative_names());
        out.issuer_alternative_name = plain(certificate->issuer_alternative_names());
    }
    return out;
}

json::array tried_json(const acl::Explanation& explanation) {
    json::array out;
    for (const acl::TriedRule& rule : explanation.tried) {
        out.push_back(json::object{{"rule", rule.origin.name()},
                                   {"effect", rule.deny ? "deny" : "allow"},
                                   {"pattern", rule.pattern},
                                   {"result", rule.outcome}});
    }
    return out;
}

json::value statement_json(const std::optional<acl::RuleOrigin>& origin) {
    if (!origin) {
        return nullptr;
    }
    return json::object{{"policy", text_or_null(std::string_view{origin->policy})},
                        {"index", origin->statement},
                        {"rule", origin->name()}};
}

json::object base_json(const Identity& identity) {
    return {{"identity", identity.view->name},
            {"certificate", json::object{{"serial", identity.view->serial},
                                         {"not_after", format_utc(identity.view->not_after)}}}};
}

/// The certificate itself may not connect: no rule is asked.
json::object refused_json(const Identity& identity, const Error& refusal) {
    json::object out = base_json(identity);
    out["allowed"] = false;
    out["code"] = refusal.number;
    out["what"] = refusal.message;
    out["why"] = refusal.why;
    out["hint"] = refusal.how;
    out["statement"] = nullptr;
    out["checked"] = json::array{};
    out["nearest"] = nullptr;
    return out;
}

json::object explanation_json(const Identity& identity, const acl::Explanation& explanation) {
    json::object out = base_json(identity);
    out["allowed"] = explanation.verdict.allowed;
    out["code"] = explanation.number;
    out["resource"] = explanation.resource;
    out["what"] = explanation.what;
    out["why"] = explanation.why;
    out["hint"] = explanation.how;
    out["statement"] = statement_json(explanation.decided_by);
    out["checked"] = tried_json(explanation);
    out["allowed_in"] = text_array(explanation.allowed_in);
    out["nearest"] = text_or_null(std::string_view{explanation.nearest});
    return out;
}

Result<acl::Action> action_of(const Body& body) {
    const auto action = acl::parse_action(body.text("action"));
    const bool known = action == acl::Action::connect || action == acl::Action::publish ||
                       action == acl::Action::subscribe || action == acl::Action::receive;
    if (!known) {
        return wrong_fields({{"/action", "must be connect, publish, subscribe or receive"}});
    }
    if (*action != acl::Action::connect && !body.has("topic")) {
        return wrong_fields({{"/topic", "is missing"}});
    }
    return *action;
}

Result<Response> explain(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(action, action_of(body));
    IOTSKY_TRY(identity, find_identity(services, request.caller, body.text("identity")));
    const WallTime now = services.clock.wall_now();
    if (const auto refusal = identity.view->refusal(now)) {
        return json_response(200, refused_json(identity, *refusal));
    }
    const auto rules = identity.view->rules();
    if (!rules) {
        return own_fault("the rules of " + identity.view->name + " do not compile");
    }
    const acl::Attributes attributes = attributes_of(identity, body);
    const auto context = acl::AuthContext::make(rules, attributes, identity.view->valid_until);
    const std::string resource =
        action == acl::Action::connect ? attributes.client_id.value_or("") : body.text("topic");
    acl::Explanation verdict = acl::explain(*context, action, resource, now);
    if (verdict.verdict.allowed && action == acl::Action::publish && body.flag("retain")) {
        verdict = acl::explain(*context, acl::Action::retain_publish, resource, now);
    }
    return json_response(200, explanation_json(identity, verdict));
}

constexpr std::array kRoutes{Route{.method = Method::post,
                                   .pattern = "/api/v1/explain",
                                   .needs = Rank::student,
                                   .handler = explain,
                                   .summary = "Say whether an identity may do something, and why",
                                   .body = BodyKind::json,
                                   .fields = kFields}};

}  // namespace

std::span<const Route> explain_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
