#include "api/admin/render.hpp"

#include "api/base64.hpp"
#include "base/text.hpp"
#include "provisioning/names.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

json::value date_or_null(const std::optional<provisioning::Date>& date) {
    return date ? json::value(provisioning::format_date(*date)) : json::value(nullptr);
}

json::object limits_json(const provisioning::ClassLimits& limits) {
    return {{"things_per_project_max", limits.things_per_project_max},
            {"messages_per_second", limits.messages_per_second},
            {"burst", limits.burst},
            {"payload_bytes_max", limits.payload_bytes_max},
            {"retained_per_thing_max", limits.retained_per_thing_max},
            {"queue_bytes_per_session_max", limits.queue_bytes_per_session_max}};
}

WallTime from_unix_us(std::int64_t us) {
    return WallTime{std::chrono::duration_cast<WallTime::duration>(std::chrono::microseconds{us})};
}

json::value id_or_null(const std::optional<Id>& id, std::string_view prefix) {
    return id ? json::value(id->format(prefix)) : json::value(nullptr);
}

}  // namespace

Response json_response(unsigned status, const json::value& value) {
    Response response;
    response.status = status;
    response.body = json::serialize(value);
    return response;
}

Response with_rev(Response response, provisioning::Rev rev) {
    response.headers.emplace_back("ETag", "\"" + std::to_string(rev) + "\"");
    return response;
}

Response page_response(json::array items, const std::optional<std::string>& next) {
    json::object body{{"items", std::move(items)}};
    if (next) {
        body["next_cursor"] = *next;
    }
    return json_response(200, body);
}

json::value text_or_null(const std::optional<std::string>& text) {
    return text ? json::value(*text) : json::value(nullptr);
}

json::value text_or_null(std::string_view text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::value time_or_null(const std::optional<WallTime>& time) {
    return time ? json::value(format_utc(*time)) : json::value(nullptr);
}

json::array text_array(const std::vector<std::string>& texts) {
    return json::array(texts.begin(), texts.end());
}

json::value embedded(std::string_view text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    return error ? json::value(nullptr) : value;
}

json::object class_json(const provisioning::ClassRecord& row, WallTime now) {
    return {{"id", row.id.format(provisioning::kClassPrefix)},
            {"name", row.name},
            {"ends_on", date_or_null(row.ends_on)},
            {"grace_days", row.grace_days},
            {"state", to_string(provisioning::state_of(row, now))},
            {"strict_isolation", row.settings.strict_isolation},
            {"on_denied_publish", to_string(row.settings.on_denied_publish)},
            {"limits", limits_json(row.settings.limits)},
            {"created_at", format_utc(row.created_at)},
            {"rev", row.rev}};
}

json::object student_json(const provisioning::StudentDetails& details) {
    const auto& row = details.record;
    return {{"id", row.id.format(provisioning::kStudentPrefix)},
            {"class", details.class_name},
            {"pseudonym", row.pseudonym},
            {"real_name", text_or_null(row.real_name)},
            {"projects", text_array(details.projects)},
            {"created_at", format_utc(row.created_at)},
            {"rev", row.rev}};
}

json::object project_json(const provisioning::ProjectDetails& details) {
    const auto& row = details.record;
    return {{"id", row.id.format(provisioning::kProjectPrefix)},
            {"class", details.class_name},
            {"name", row.name},
            {"students", text_array(details.students)},
            {"things", details.things},
            {"created_at", format_utc(row.created_at)},
            {"rev", row.rev}};
}

PathParts parts_of_path(const std::string& path) {
    const auto parts = split(path, '/');
    if (parts.size() != 3) {
        return {};
    }
    return {std::string{parts[0]}, std::string{parts[1]}};
}

json::object thing_json(const provisioning::ThingRecord& row) {
    json::object attributes;
    for (const auto& [name, value] : row.attributes) {
        attributes[name] = value;
    }
    const PathParts parts = parts_of_path(row.path());
    return {{"id", row.id.format(provisioning::kThingPrefix)},
            {"path", row.path()},
            {"aws_name", row.aws_name},
            {"class", text_or_null(std::string_view{parts.class_name})},
            {"project", text_or_null(std::string_view{parts.project})},
            {"name", row.name},
            {"type", text_or_null(row.type)},
            {"board", text_or_null(row.board)},
            {"attributes", std::move(attributes)},
            {"created_at", format_utc(row.created_at)},
            {"rev", row.rev}};
}

json::object topics_json(const provisioning::DefaultTopics& topics) {
    return {{"publish", text_array(topics.publish)}, {"subscribe", text_array(topics.subscribe)}};
}

json::object certificate_json(const provisioning::CertificateRecord& row,
                              const std::vector<std::string>& things) {
    return {{"id", row.id.format(provisioning::kCertificatePrefix)},
            {"serial", row.serial},
            {"fingerprint",
             row.fingerprint ? json::value(row.fingerprint->hex()) : json::value(nullptr)},
            {"status", to_string(row.status)},
            {"origin", to_string(row.origin)},
            {"key_type", row.key_type},
            {"issuer", row.issuer},
            {"not_before", time_or_null(row.not_before)},
            {"not_after", time_or_null(row.not_after)},
            {"things", text_array(things)},
            {"service", text_or_null(row.service)},
            {"renewed_from", id_or_null(row.renewed_from, provisioning::kCertificatePrefix)},
            {"revoked_at", time_or_null(row.revoked_at)},
            {"revoke_reason", text_or_null(row.revoke_reason)},
            {"pem", row.pem},
            {"created_at", format_utc(from_unix_us(row.created_us))},
            {"rev", row.rev}};
}

json::object policy_json(const provisioning::PolicyRecord& row) {
    return {{"id", row.id.format(provisioning::kPolicyPrefix)},
            {"name", row.name},
            {"default_version", row.default_version},
            {"created_at", format_utc(row.created_at)},
            {"rev", row.rev}};
}

json::object target_json(const provisioning::TargetName& target) {
    return {{"kind", to_string(target.kind)}, {"name", target.name}};
}

json::object token_json(const provisioning::TokenDetails& details) {
    const auto& row = details.record;
    return {{"id", row.id.format(provisioning::kTokenPrefix)},
            {"name", row.name},
            {"role", to_string(row.role)},
            {"class", text_or_null(std::string_view{details.class_name})},
            {"project", text_or_null(std::string_view{details.project})},
            {"expires_at", time_or_null(row.expires_at)},
            {"last_used_at", time_or_null(row.last_used_at)},
            {"revoked_at", time_or_null(row.revoked_at)},
            {"created_at", format_utc(from_unix_us(row.created_us))},
            {"rev", row.rev}};
}

json::object event_json(const provisioning::Event& event) {
    return {{"seq", event.seq},
            {"at", format_utc(event.at)},
            {"kind", event.kind},
            {"body", embedded(event.body)}};
}

json::object refusal_json(const provisioning::Refusal& refusal) {
    return {{"seq", refusal.seq},
            {"at", format_utc(refusal.at)},
            {"code", refusal.number},
            {"action", refusal.action},
            {"thing", text_or_null(std::string_view{refusal.thing})},
            {"identity", refusal.identity},
            {"client_id", refusal.client_id},
            {"address", refusal.address},
            {"listener", refusal.listener},
            {"topic", refusal.topic},
            {"why", refusal.why},
            {"hint", refusal.hint},
            {"count", refusal.count}};
}

json::object handshake_json(const HandshakeFailure& failure) {
    return {{"seq", failure.seq},
            {"at", format_utc(failure.time)},
            {"code", failure.number},
            {"address", failure.address},
            {"listener", failure.listener},
            {"certificate_name", text_or_null(std::string_view{failure.certificate_name})},
            {"sni", text_or_null(std::string_view{failure.server_name})},
            {"why", failure.why},
            {"hint", failure.how},
            {"count", failure.count}};
}

json::object connection_json(const ConnectionInfo& info) {
    return {{"client_id", info.client_id},
            {"identity", info.identity},
            {"thing", text_or_null(std::string_view{info.thing_path})},
            {"address", info.address},
            {"listener", info.listener},
            {"protocol", info.protocol},
            {"tls_version", text_or_null(std::string_view{info.tls_version})},
            {"since", format_utc(info.since)},
            {"keep_alive_s", info.keep_alive_s},
            {"clean_session", info.clean_session},
            {"in_messages", info.in_messages},
            {"out_messages", info.out_messages},
            {"queued", info.queued}};
}

json::object session_json(const SessionInfo& info) {
    return {{"id", info.id},
            {"client_id", info.client_id},
            {"identity", info.identity},
            {"thing", text_or_null(std::string_view{info.thing_path})},
            {"connected", info.connected},
            {"clean_session", info.clean_session},
            {"since", format_utc(info.since)},
            {"subscriptions", info.subscriptions},
            {"queued_messages", info.queued_messages},
            {"queued_bytes", info.queued_bytes},
            {"queue_bytes_max", info.queue_bytes_max},
            {"inflight", info.inflight},
            {"durability", info.durability},
            {"dropped", json::object{{"quota", info.dropped_quota},
                                     {"expired", info.dropped_expired},
                                     {"denied", info.dropped_denied},
                                     {"slow_reader", info.dropped_slow}}}};
}

json::object retained_json(const RetainedInfo& info) {
    json::object out{{"topic", info.topic},
                     {"qos", info.qos},
                     {"bytes", info.bytes},
                     {"payload_base64", base64_encode(info.payload)},
                     {"stored_at", format_utc(info.stored_at)}};
    if (info.payload.size() < info.bytes) {
        out["truncated"] = true;
    }
    return out;
}

json::object endpoint_json(const Endpoint& endpoint) {
    return {{"host", endpoint.host},
            {"addresses", text_array(endpoint.addresses)},
            {"port", endpoint.port}};
}

}  // namespace iotsky::api
