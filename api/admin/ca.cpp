#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "certs/authority.hpp"
#include "certs/crl.hpp"
#include "certs/serial.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;
using certs::CaRole;

constexpr std::array kExport{
    Field{"passphrase", FieldType::text, Presence::required, "encrypts the key; \"\": plain"},
    Field{"delete", FieldType::boolean, Presence::optional,
          "takes the key off this machine afterwards"},
};
constexpr std::array kCrlQuery{QueryField{"format", QueryType::text, "der (default) or pem"}};
constexpr std::string_view kPem = "application/x-pem-file";

json::object role_json(const certs::Authority& authority, CaRole role) {
    const certs::Certificate& certificate = authority.certificate(role);
    return {{"subject", certificate.common_name()},
            {"fingerprint", certificate.fingerprint().hex()},
            {"words", certificate.fingerprint().words()},
            {"not_after", format_utc(certificate.not_after())},
            {"key_on_this_machine", authority.has_key(role)},
            {"pem", certificate.pem()}};
}

Result<Response> show_ca(Services& services, const Request& /*request*/) {
    const certs::Authority& authority = services.authority;
    return json_response(200, json::object{
                                  {"server", role_json(authority, CaRole::server)},
                                  {"server_next", role_json(authority, CaRole::server_next)},
                                  {"device_root", role_json(authority, CaRole::device_root)},
                                  {"device", role_json(authority, CaRole::device)},
                              });
}

Result<Response> trust_pem(Services& services, const Request& /*request*/) {
    Response response;
    response.content_type = kPem;
    response.body = services.authority.server_trust_pem();
    return response;
}

/// RFC 5280's reasons; "lost" is ours and means that somebody else may have the key.
certs::RevocationReason reason_of(std::string_view word) {
    struct Row {
        std::string_view word;
        certs::RevocationReason reason;
    };
    static constexpr std::array kRows{
        Row{"key_compromise", certs::RevocationReason::key_compromise},
        Row{"lost", certs::RevocationReason::key_compromise},
        Row{"superseded", certs::RevocationReason::superseded},
        Row{"affiliation_changed", certs::RevocationReason::affiliation_changed},
        Row{"cessation_of_operation", certs::RevocationReason::cessation_of_operation},
    };
    for (const Row& row : kRows) {
        if (row.word == word) {
            return row.reason;
        }
    }
    return certs::RevocationReason::unspecified;
}

Result<Response> show_crl(Services& services, const Request& request) {
    const std::string format = request.query_value("format").value_or("der");
    if (format != "der" && format != "pem") {
        return bad_query("format", "must be der or pem");
    }
    IOTSKY_TRY(rows, services.registry.certificates.revoked());
    std::vector<certs::RevokedCertificate> revoked;
    for (const provisioning::Revocation& row : rows) {
        if (const auto serial = certs::Serial::parse(row.serial)) {
            revoked.push_back({*serial, row.when, reason_of(row.reason)});
        }
    }
    IOTSKY_TRY(crl, services.authority.crl(revoked, services.clock.wall_now()));
    Response response;
    response.content_type = format == "pem" ? kPem : "application/pkix-crl";
    response.body = format == "pem" ? crl.pem : std::string{crl.der.begin(), crl.der.end()};
    return response;
}

Result<Response> export_root(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(role, certs::parse_ca_role(request.param("role")));
    std::string passphrase = body.text("passphrase");
    auto pem = services.authority.export_root(role, passphrase);
    wipe(passphrase);
    if (!pem) {
        return std::move(pem).error();
    }
    const bool remove = body.flag("delete");
    IOTSKY_CHECK(services.registry.audit.note(
        request.caller, remove ? "ca.export_and_delete" : "ca.export", request.param("role")));
    if (remove) {
        IOTSKY_CHECK(services.authority.delete_root_key(role));
    }
    return secret_response(200, {{"deleted", remove}}, "pem", pem->view());
}

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/ca.crt",
          .needs = Rank::none,
          .handler = trust_pem,
          .summary = "CA certificates that devices must trust",
          .door = Door::open,
          .answers = kPem},
    Route{.method = Method::get,
          .pattern = "/api/v1/ca",
          .needs = Rank::none,
          .handler = show_ca,
          .summary = "Show the certification authorities",
          .door = Door::open},
    Route{.method = Method::get,
          .pattern = "/api/v1/ca/crl",
          .needs = Rank::none,
          .handler = show_crl,
          .summary = "The list of revoked certificates",
          .query = kCrlQuery,
          .door = Door::open,
          .answers = "application/pkix-crl"},
    Route{.method = Method::post,
          .pattern = "/api/v1/ca/{role}:export",
          .handler = export_root,
          .summary = "Export a root with its key, and take the key off when asked",
          .body = BodyKind::json,
          .fields = kExport,
          .door = Door::unix_only},
};

}  // namespace

std::span<const Route> ca_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
