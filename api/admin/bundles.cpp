#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "api/bundle/zip.hpp"
#include "provisioning/names.hpp"

namespace iotsky::api {
namespace {

constexpr std::size_t kThingsMax = 200;  ///< of one archive, about 25 kB each

constexpr std::array kMake{
    Field{"key_type", FieldType::text, Presence::optional, "p256 (default) or rsa2048"},
    Field{"revoke_old", FieldType::boolean, Presence::optional, "revokes its other certificates"},
    Field{"wifi_ssid", FieldType::text, Presence::optional, "filled into the sketch"},
};
constexpr std::array kOnce{QueryField{"once", QueryType::text, "ticket of a bundle_url"}};
constexpr std::string_view kZip = "application/zip";

Error too_many_things() {
    return make_error(Errc::limit_exceeded, "E2140",
                      "One archive holds at most " + std::to_string(kThingsMax) + " things.",
                      "The class has more.",
                      "Make them one by one: iotsky bundle make CLASS --out DIR");
}

Response zip_response(std::string bytes, std::string_view name, bool effective) {
    Response response;
    response.content_type = kZip;
    response.body = std::move(bytes);
    response.secret = true;
    response.headers.emplace_back("Content-Disposition",
                                  "attachment; filename=\"" + std::string{name} + ".zip\"");
    response.headers.emplace_back("Iotsky-Effective", effective ? "true" : "false");
    return response;
}

Result<Response> one_bundle(Services& services, const BundleInput& bundle, bool effective) {
    IOTSKY_TRY(files, bundle_files(bundle));
    ZipWriter zip{services.clock.wall_now()};
    IOTSKY_CHECK(zip.add("", files));
    IOTSKY_TRY(bytes, zip.finish());
    return zip_response(std::move(bytes), bundle.name, effective);
}

/// No state changes but the ticket's: the certificate was made by the call that gave the ticket.
Result<Response> fetch_bundle(Services& services, const Request& request) {
    auto bundle =
        services.tickets.take(request.param("thing"), request.query_value("once").value_or(""));
    if (!bundle) {
        return bad_ticket();
    }
    return one_bundle(services, *bundle, true);
}

provisioning::KeyRequest key_request(const Body& body) {
    return {body.text("key_type", "p256"), {}, body.flag("revoke_old")};
}

Result<Response> make_bundle(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(made, services.registry.certificates.issue(request.caller, request.param("thing"),
                                                          key_request(body)));
    return one_bundle(services, bundle_of(services, *made.thing, made, body.text("wifi_ssid")),
                      made.effective);
}

Result<Response> make_class_bundles(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(things, services.registry.things.list(
                           request.caller, {request.param("class"), {}, {}}, {{}, kThingsMax}));
    if (things.next) {
        return too_many_things();
    }
    ZipWriter zip{services.clock.wall_now()};
    bool effective = true;
    for (const auto& thing : things.items) {
        const std::string id = thing.id.format(provisioning::kThingPrefix);
        IOTSKY_TRY(made,
                   services.registry.certificates.issue(request.caller, id, key_request(body)));
        effective = effective && made.effective;
        IOTSKY_TRY(files, bundle_files(bundle_of(services, thing, made, body.text("wifi_ssid"))));
        IOTSKY_CHECK(zip.add(parts_of_path(thing.path()).project + "/" + thing.name + "/", files));
    }
    IOTSKY_TRY(bytes, zip.finish());
    return zip_response(std::move(bytes), "bundles", effective);
}

constexpr std::array kRoutes{
    Route{.method = Method::get,
          .pattern = "/api/v1/things/{thing}/bundle",
          .needs = Rank::none,
          .handler = fetch_bundle,
          .summary = "Fetch the bundle of a certificate just made, once",
          .query = kOnce,
          .door = Door::open,
          .answers = kZip},
    Route{.method = Method::post,
          .pattern = "/api/v1/things/{thing}/bundle",
          .needs = Rank::student,
          .handler = make_bundle,
          .summary = "Issue a certificate and answer with its bundle",
          .body = BodyKind::json,
          .fields = kMake,
          .answers = kZip},
    Route{.method = Method::post,
          .pattern = "/api/v1/classes/{class}/bundles",
          .needs = Rank::teacher,
          .handler = make_class_bundles,
          .summary = "Issue a certificate for every thing of a class, in one archive",
          .body = BodyKind::json,
          .fields = kMake,
          .answers = kZip},
};

}  // namespace

std::span<const Route> bundle_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
