#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "provisioning/names.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;
using provisioning::KeySource;

constexpr std::size_t kConnectionsShown = 100;

constexpr std::array kCreate{
    Field{"class", FieldType::text, Presence::optional, "with project; none: a classless thing"},
    Field{"project", FieldType::text, Presence::optional, "made when missing"},
    Field{"name", FieldType::text, Presence::required, "1-40 of [A-Za-z0-9_-]"},
    Field{"board", FieldType::text, Presence::optional, "e.g. esp32-arduino"},
    Field{"type", FieldType::text, Presence::optional, ""},
    Field{"attributes", FieldType::text_map, Presence::optional, ""},
    Field{"key", FieldType::text, Presence::optional, "server (default) or none"},
    Field{"key_type", FieldType::text, Presence::optional, "p256 (default) or rsa2048"},
    Field{"csr", FieldType::text, Presence::optional, "PEM; then no key is made"},
    Field{"policies", FieldType::text_list, Presence::optional, "attached to the thing"},
};
constexpr std::array kChange{
    Field{"name", FieldType::text, Presence::optional, "renames: topics change"},
    Field{"board", FieldType::text_or_null, Presence::optional, ""},
    Field{"type", FieldType::text_or_null, Presence::optional, ""},
    Field{"attributes", FieldType::text_map, Presence::optional, "the whole map"},
};
constexpr std::array kIssue{
    Field{"key_type", FieldType::text, Presence::optional, "p256 (default) or rsa2048"},
    Field{"csr", FieldType::text, Presence::optional, "PEM; then no key is made"},
    Field{"revoke_old", FieldType::boolean, Presence::optional, "revokes its other certificates"},
};
constexpr std::array kListQuery{kLimitField, kCursorField,
                                QueryField{"class", QueryType::text, "name or id"},
                                QueryField{"project", QueryType::text, "with class"},
                                QueryField{"q", QueryType::text, "part of the path"}};
constexpr std::array kDeleteQuery{kDryRunField};

Result<KeySource> key_source(const Body& body) {
    if (body.has("csr")) {
        return KeySource::csr;
    }
    const std::string word = body.text("key", "server");
    if (word == "server") {
        return KeySource::server;
    }
    if (word == "none") {
        return KeySource::none;
    }
    return wrong_fields({{"/key", "must be server or none"}});
}

Result<provisioning::ThingRequest> thing_request(const Body& body) {
    IOTSKY_TRY(key, key_source(body));
    provisioning::ThingRequest out;
    out.class_name = body.text("class");
    out.project = body.text("project");
    out.name = body.text("name");
    out.board = body.optional_text("board");
    out.type = body.optional_text("type");
    out.attributes = body.map("attributes");
    out.key = key;
    out.key_type = body.text("key_type", "p256");
    out.csr = body.text("csr");
    out.policies = body.texts("policies");
    return out;
}

Result<Response> create_thing(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(wanted, thing_request(body));
    IOTSKY_TRY(made,
               services.registry.things.create(request.caller, wanted, idempotency_key(request)));
    const auto& thing = *made.thing;
    json::object out{{"id", thing.id.format(provisioning::kThingPrefix)},
                     {"path", thing.path()},
                     {"aws_name", thing.aws_name},
                     {"topics", topics_json(made.topics)},
                     {"rev", thing.rev}};
    if (made.certificate) {
        out["certificate"] = certificate_json(*made.certificate, {thing.path()});
    }
    Response response = identity_response(services, request, made, std::move(out));
    response.headers.emplace_back("Location",
                                  "/api/v1/things/" + thing.id.format(provisioning::kThingPrefix));
    return with_rev(std::move(response), thing.rev);
}

Result<Response> list_things(Services& services, const Request& request) {
    const provisioning::ThingQuery query{request.query_value("class").value_or(""),
                                         request.query_value("project").value_or(""),
                                         request.query_value("q").value_or("")};
    IOTSKY_TRY(listing, services.registry.things.list(request.caller, query, page_of(request)));
    return listing_response(listing, thing_json);
}

json::array connections_json(Services& services, const std::string& path) {
    ClientSelector selector;
    selector.thing_path = path;
    json::array out;
    const auto live = ask_broker<std::vector<ConnectionInfo>>(services, [&](auto answer) {
        services.broker.connections(selector, kConnectionsShown, std::move(answer));
    });
    if (live) {
        for (const ConnectionInfo& info : *live) {
            out.push_back(connection_json(info));
        }
    }
    return out;
}

Result<Response> show_thing(Services& services, const Request& request) {
    IOTSKY_TRY(details, services.registry.things.show(request.caller, request.param("thing")));
    const std::string path = details.record.path();
    json::object out = thing_json(details.record);
    json::array certificates;
    for (const auto& row : details.certificates) {
        certificates.push_back(certificate_json(row, {path}));
    }
    out["certificates"] = std::move(certificates);
    out["policies"] = text_array(details.policies);
    out["topics"] = topics_json(details.topics);
    out["connections"] = connections_json(services, path);
    return with_rev(json_response(200, out), details.record.rev);
}

Result<Response> change_thing(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(rev, if_match(request));
    provisioning::ThingChange change;
    change.name = body.optional_text("name");
    change.board = body.nullable_text("board");
    change.type = body.nullable_text("type");
    if (body.has("attributes")) {
        change.attributes = body.map("attributes");
    }
    IOTSKY_TRY(changed, services.registry.things.change(request.caller, request.param("thing"),
                                                        change, rev));
    json::object out = thing_json(changed.value);
    out["effective"] = changed.effective;
    return with_rev(json_response(200, out), changed.value.rev);
}

Result<Response> delete_thing(Services& services, const Request& request) {
    IOTSKY_TRY(rev, if_match(request));
    const bool dry_run = request.query_flag("dry_run");
    IOTSKY_TRY(changed, services.registry.things.remove(request.caller, request.param("thing"),
                                                        dry_run, rev));
    return json_response(200,
                         json::object{{"deleted", changed.value.path},
                                      {"certificates_revoked", changed.value.certificates_revoked},
                                      {"dry_run", dry_run},
                                      {"effective", changed.effective}});
}

Result<Response> list_certificates(Services& services, const Request& request) {
    IOTSKY_TRY(details, services.registry.things.show(request.caller, request.param("thing")));
    json::array items;
    for (const auto& row : details.certificates) {
        items.push_back(certificate_json(row, {details.record.path()}));
    }
    return page_response(std::move(items), std::nullopt);
}

Result<Response> issue_certificate(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(made, services.registry.certificates.issue(
                         request.caller, request.param("thing"),
                         {body.text("key_type", "p256"), body.text("csr"), body.flag("revoke_old")},
                         idempotency_key(request)));
    json::object out{{"certificate", certificate_json(*made.certificate, {made.thing->path()})}};
    return identity_response(services, request, made, std::move(out));
}

constexpr std::array kRoutes{
    Route{.method = Method::post,
          .pattern = "/api/v1/things",
          .needs = Rank::student,
          .handler = create_thing,
          .summary = "Make a thing with its certificate and rights, all or nothing",
          .body = BodyKind::json,
          .fields = kCreate,
          .success = 201},
    Route{.method = Method::get,
          .pattern = "/api/v1/things",
          .needs = Rank::student,
          .handler = list_things,
          .summary = "List things",
          .query = kListQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/things/{thing}",
          .needs = Rank::student,
          .handler = show_thing,
          .summary = "Show a thing with its certificates and connections"},
    Route{.method = Method::patch,
          .pattern = "/api/v1/things/{thing}",
          .needs = Rank::student,
          .handler = change_thing,
          .summary = "Rename or change a thing",
          .body = BodyKind::json,
          .fields = kChange},
    Route{.method = Method::delete_,
          .pattern = "/api/v1/things/{thing}",
          .needs = Rank::student,
          .handler = delete_thing,
          .summary = "Delete a thing; its certificates are revoked",
          .query = kDeleteQuery},
    Route{.method = Method::get,
          .pattern = "/api/v1/things/{thing}/certificates",
          .needs = Rank::student,
          .handler = list_certificates,
          .summary = "List a thing's certificates"},
    Route{.method = Method::post,
          .pattern = "/api/v1/things/{thing}/certificates",
          .needs = Rank::student,
          .handler = issue_certificate,
          .summary = "Issue another certificate for a thing",
          .body = BodyKind::json,
          .fields = kIssue,
          .success = 201},
};

}  // namespace

std::span<const Route> thing_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
