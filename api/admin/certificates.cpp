#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "provisioning/names.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;
using provisioning::CertificateStatus;

constexpr std::array kService{
    Field{"service", FieldType::text, Presence::required, "name of the service identity"},
    Field{"policies", FieldType::text_list, Presence::optional, "names of stored policies"},
    Field{"policy", FieldType::document, Presence::optional, "stored as policy service-NAME"},
    Field{"key_type", FieldType::text, Presence::optional, "p256 (default) or rsa2048"},
    Field{"csr", FieldType::text, Presence::optional, "PEM; then no key is made"},
};
constexpr std::array kRenew{
    Field{"key_type", FieldType::text, Presence::optional, "p256 (default) or rsa2048"},
    Field{"csr", FieldType::text, Presence::optional, "PEM; then no key is made"},
    Field{"revoke_old", FieldType::boolean, Presence::optional, "revokes the one renewed"},
};
constexpr std::array kRevoke{
    Field{"reason", FieldType::text, Presence::optional,
          "unspecified, key_compromise, lost, superseded, affiliation_changed, "
          "cessation_of_operation"}};
constexpr std::array kListQuery{
    kLimitField,
    kCursorField,
    QueryField{"class", QueryType::text, "name or id"},
    QueryField{"thing", QueryType::text, "path or id"},
    QueryField{"status", QueryType::text, "active, suspended, revoked or inactive"},
    QueryField{"ends_within", QueryType::text, "e.g. 30d"}};

json::object details_json(const provisioning::CertificateDetails& details) {
    return certificate_json(details.record, details.things);
}

Result<provisioning::CertificateQuery> query_of(const Request& request) {
    provisioning::CertificateQuery query;
    query.class_name = request.query_value("class").value_or("");
    query.thing = request.query_value("thing").value_or("");
    if (const auto word = request.query_value("status")) {
        query.status = provisioning::from_string<CertificateStatus>(*word);
        if (!query.status) {
            return bad_query("status", "must be active, suspended, revoked or inactive");
        }
    }
    if (const auto text = request.query_value("ends_within")) {
        IOTSKY_TRY(time, parse_duration(*text, "?ends_within"));
        query.ends_within = time;
    }
    return query;
}

Result<Response> list_certificates(Services& services, const Request& request) {
    IOTSKY_TRY(query, query_of(request));
    IOTSKY_TRY(listing,
               services.registry.certificates.list(request.caller, query, page_of(request)));
    return listing_response(listing, details_json);
}

Result<Response> show_certificate(Services& services, const Request& request) {
    IOTSKY_TRY(details,
               services.registry.certificates.show(request.caller, request.param("certificate")));
    json::object out = details_json(details);
    out["policies"] = text_array(details.policies);
    return with_rev(json_response(200, out), details.record.rev);
}

Result<Response> issue_service(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    provisioning::ServiceRequest wanted;
    wanted.name = body.text("service");
    wanted.policies = body.texts("policies");
    if (body.has("policy")) {
        wanted.policy_document = body.document("policy");
    }
    wanted.key = {body.text("key_type", "p256"), body.text("csr"), false};
    IOTSKY_TRY(made, services.registry.certificates.issue_service(request.caller, wanted,
                                                                  idempotency_key(request)));
    return identity_response(services, request, made,
                             {{"certificate", certificate_json(*made.certificate, {})}});
}

/// How many connections this certificate has, before it loses them.
std::uint64_t count_connections(Services& services,
                                const std::optional<certs::Fingerprint>& fingerprint) {
    if (!fingerprint) {
        return 0;
    }
    ClientSelector selector;
    selector.certificate = fingerprint->hex();
    const auto live = ask_broker<std::vector<ConnectionInfo>>(services, [&](auto answer) {
        services.broker.connections(selector, 1000, std::move(answer));
    });
    return live ? live->size() : 0;
}

Result<Response> revoke_certificate(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(rev, if_match(request));
    IOTSKY_TRY(before,
               services.registry.certificates.show(request.caller, request.param("certificate")));
    const std::uint64_t connections = count_connections(services, before.record.fingerprint);
    IOTSKY_TRY(changed,
               services.registry.certificates.revoke(request.caller, request.param("certificate"),
                                                     body.text("reason", "unspecified"), rev));
    json::object out = details_json(changed.value);
    out["effective"] = changed.effective;
    out["connections_closed"] = changed.effective ? connections : 0;
    return with_rev(json_response(200, out), changed.value.record.rev);
}

Result<Response> renew_certificate(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(made, services.registry.certificates.renew(
                         request.caller, request.param("certificate"),
                         {body.text("key_type", "p256"), body.text("csr"), body.flag("revoke_old")},
                         idempotency_key(request)));
    std::vector<std::string> things;
    if (made.thing) {
        things.push_back(made.thing->path());
    }
    return identity_response(services, request, made,
                             {{"certificate", certificate_json(*made.certificate, things)}});
}

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/api/v1/certificates",
          .needs = Rank::assistant,
          .handler = list_certificates,
          .summary = "List certificates",
          .query = kListQuery},
    Route{.method = Method::post,
          .pattern = "/api/v1/certificates",
          .needs = Rank::admin,
          .handler = issue_service,
          .summary = "Issue a service identity",
          .body = BodyKind::json,
          .fields = kService,
          .success = 201},
    Route{.method = Method::post,
          .pattern = "/api/v1/certificates/{certificate}:revoke",
          .needs = Rank::student,
          .handler = revoke_certificate,
          .summary = "Revoke a certificate, for good; its connections are closed",
          .body = BodyKind::json,
          .fields = kRevoke},
    Route{.method = Method::post,
          .pattern = "/api/v1/certificates/{certificate}:renew",
          .needs = Rank::student,
          .handler = renew_certificate,
          .summary = "Issue a successor with the same things, policies and sessions",
          .body = BodyKind::json,
          .fields = kRenew,
          .success = 201},
    Route{.method = Method::get,
          .pattern = "/api/v1/certificates/{certificate}",
          .needs = Rank::student,
          .handler = show_certificate,
          .summary = "Show a certificate"},
};

}  // namespace

std::span<const Route> certificate_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
