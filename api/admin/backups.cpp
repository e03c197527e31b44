#include <algorithm>
#include <array>

#include "api/admin/common.hpp"
#include "api/admin/routes.hpp"
#include "api/backups.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::array kCreate{
    Field{"passphrase", FieldType::text, Presence::required,
          "encrypts it, 8 to 1024 bytes; \"\": it is not encrypted, and the CA's keys are in it"}};
constexpr std::array kList{kLimitField};

json::object backup_json(const BackupInfo& info) {
    return {{"name", info.name},
            {"state", info.state},
            {"kind", info.kind},
            {"file", info.file},
            {"made_at", format_utc(info.made_at)},
            {"bytes", info.bytes},
            {"encrypted", info.encrypted},
            {"program", info.program},
            {"problem", text_or_null(std::string_view{info.problem})},
            {"left_out", text_array(info.left_out)}};
}

Result<Response> create_backup(Services& services, const Request& request) {
    IOTSKY_TRY(body, decode_body(request));
    IOTSKY_TRY(info, services.backups.begin(SecretString::take(body.text("passphrase"))));
    IOTSKY_CHECK(services.registry.audit.note(request.caller, "backup.create", info.name));
    Response response = json_response(202, backup_json(info));
    response.headers.emplace_back("Location", "/api/v1/backups/" + info.name);
    return response;
}

Result<Response> list_backups(Services& services, const Request& request) {
    std::vector<BackupInfo> all = services.backups.list();
    all.resize(std::min(all.size(), page_of(request).limit));
    json::array items;
    for (const BackupInfo& info : all) {
        items.push_back(backup_json(info));
    }
    return page_response(std::move(items), std::nullopt);
}

Result<Response> show_backup(Services& services, const Request& request) {
    IOTSKY_TRY(info, services.backups.show(request.param("backup")));
    return json_response(200, backup_json(info));
}

Result<Response> delete_backup(Services& services, const Request& request) {
    IOTSKY_CHECK(services.backups.remove(request.param("backup")));
    IOTSKY_CHECK(
        services.registry.audit.note(request.caller, "backup.delete", request.param("backup")));
    return json_response(200, json::object{{"deleted", request.param("backup")}});
}

constexpr std::array kRoutes{
    Route{.method = Method::post,
          .pattern = "/api/v1/backups",
          .handler = create_backup,
          .summary = "Begin a backup of everything; it goes on by itself",
          .body = BodyKind::json,
          .fields = kCreate,
          .door = Door::unix_only,
          .success = 202},
    Route{.method = Method::get,
          .pattern = "/api/v1/backups",
          .handler = list_backups,
          .summary = "List backups in the data folder, the newest first",
          .query = kList},
    Route{.method = Method::get,
          .pattern = "/api/v1/backups/{backup}",
          .handler = show_backup,
          .summary = "Show a backup, also one that is being made"},
    Route{.method = Method::delete_,
          .pattern = "/api/v1/backups/{backup}",
          .handler = delete_backup,
          .summary = "Delete a backup from the data folder",
          .door = Door::unix_only},
};

}  // namespace

std::span<const Route> backup_routes() {
    return kRoutes;
}

}  // namespace iotsky::api
