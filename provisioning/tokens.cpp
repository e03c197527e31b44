#include "provisioning/tokens.hpp"

#include <boost/json.hpp>

#include "base/log.hpp"
#include "base/text.hpp"
#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"
#include "provisioning/rights.hpp"
#include "provisioning/sha256.hpp"
#include "provisioning/token_text.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::chrono::minutes kUseNoted{5};

Error not_live() {
    return make_error(Errc::unauthenticated, "E4116", "This token is not accepted.",
                      "It is unknown, mistyped, has ended or was revoked.",
                      "Make a new one: iotsky token create NAME --role ROLE");
}

void tell(Change& change, std::string_view kind, std::string_view action,
          const TokenRecord& record) {
    const boost::json::object body{{"kind", kind},
                                   {"token", record.id.format(kTokenPrefix)},
                                   {"name", record.name},
                                   {"role", to_string(record.role)}};
    const std::string text = boost::json::serialize(body);
    change.event(kind, text);
    change.audit(action, record.name, text);
}

TokenDetails details(Reader& reader, TokenRecord&& record) {
    TokenDetails shown{std::move(record), {}, {}};
    if (shown.record.class_id) {
        const auto in = reader.class_by_id(*shown.record.class_id);
        shown.class_name = in ? in->name : "";
    }
    if (shown.record.project_id) {
        const auto project = reader.project_by_id(*shown.record.project_id);
        shown.project = project ? project->name : "";
    }
    return shown;
}

/// A token without its class would reach nothing.
Result<void> check_request(const TokenRequest& request, WallTime now) {
    IOTSKY_CHECK(check_name(request.name, "token"));
    if (request.role == Role::device) {
        return wrong_field("/role", "A device has a certificate, not a token.",
                           "Make one: iotsky thing create CLASS/PROJECT/THING");
    }
    if (request.role != Role::admin && request.role != Role::projector &&
        request.class_name.empty()) {
        return wrong_field("/class", "A token of this role needs its class.", "Add --class CLASS.");
    }
    if (request.role == Role::student && request.project.empty()) {
        return wrong_field("/project", "A student's token needs its project.",
                           "Add --project PROJECT.");
    }
    if (request.role == Role::admin && !(request.class_name.empty() && request.project.empty())) {
        return wrong_field("/class", "An admin's token is for the whole machine.",
                           "Leave class and project out, or choose the role teacher.");
    }
    if (request.expires_at && *request.expires_at <= now) {
        return wrong_field("/expires_at", "The token would have ended already.",
                           "Give a later time.");
    }
    return {};
}

Result<void> resolve(Reader& reader, const TokenRequest& request, TokenRecord& record) {
    if (request.class_name.empty()) {
        return {};
    }
    IOTSKY_TRY(in, find_class(reader, request.class_name));
    record.class_id = in.id;
    if (!request.project.empty()) {
        IOTSKY_TRY(project, find_project(reader, in, request.project));
        record.project_id = project.id;
    }
    return {};
}

/// Whether a use at that time is worth a write.
bool is_news(const TokenRecord& record, WallTime at) {
    return !record.last_used_at || at - *record.last_used_at >= kUseNoted;
}

std::string key_of(const TokenDetails& row) {
    return std::to_string(row.record.created_us) + "-" + to_hex(row.record.id.bytes);
}

}  // namespace

Result<CreatedToken> Tokens::create(const Caller& caller, const TokenRequest& request) {
    IOTSKY_CHECK(check(caller, Operation::token_manage, {}));
    IOTSKY_CHECK(check_request(request, core_.now()));
    SecretString token = make_token(core_.random);
    TokenRecord record;
    record.id = Id::random(core_.random);
    record.name = request.name;
    record.sha256 = sha256(token.view());
    record.role = request.role;
    record.expires_at = request.expires_at;
    record.created_us = core_.next_created_us();
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<TokenDetails> {
        IOTSKY_CHECK(resolve(change.tx, request, record));
        change.tx.insert(record);
        change.affected.tokens = true;
        tell(change, "token.created", "token.create", record);
        return details(change.tx, TokenRecord{record});
    }));
    return CreatedToken{std::move(done.value), std::move(token)};
}

Result<Listing<TokenDetails>> Tokens::list(const Caller& caller, const PageRequest& request) {
    IOTSKY_CHECK(check(caller, Operation::token_manage, {}));
    IOTSKY_TRY(page, to_page(request));
    return core_.store.read([&](Reader& reader) -> Result<Listing<TokenDetails>> {
        std::vector<TokenDetails> rows;
        for (TokenRecord& record : reader.tokens(page)) {
            rows.push_back(details(reader, std::move(record)));
        }
        return to_listing(std::move(rows), request.limit, key_of);
    });
}

Result<TokenRecord> Tokens::revoke(const Caller& caller, std::string_view token_id) {
    IOTSKY_CHECK(check(caller, Operation::token_manage, {}));
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<TokenRecord> {
        IOTSKY_TRY(record, find_token(change.tx, token_id));
        if (!record.revoked_at) {
            record.revoked_at = change.now;
            change.tx.update(record);
            change.affected.tokens = true;
            change.revoked = true;
            tell(change, "token.revoked", "token.revoke", record);
            ++record.rev;
        }
        return record;
    }));
    return std::move(done.value);
}

Result<Caller> Tokens::authenticate(std::string_view token) {
    if (!is_token(token)) {
        return not_live();
    }
    // Found by its hash: the comparison of secrets is the index's, over values nobody can choose.
    IOTSKY_TRY(record, core_.store.read([&](Reader& reader) -> Result<std::optional<TokenRecord>> {
        return reader.token_by_hash(sha256(token));
    }));
    const WallTime now = core_.now();
    if (!record || record->revoked_at || (record->expires_at && *record->expires_at <= now)) {
        return not_live();
    }
    if (is_news(*record, now)) {
        if (const auto noted = write({{record->id, now}}); !noted) {
            log::warn(noted.error().number, "last use of a token not noted");
        }
    }
    return Caller{record->role, "token:" + record->name, record->class_id, record->project_id};
}

Result<void> Tokens::write(const std::map<Id, WallTime>& uses) {
    if (uses.empty()) {
        return {};
    }
    return core_.store.transact_void(
        [&](Tx& tx) -> Result<void> {
            for (const auto& [token, at] : uses) {
                auto row = tx.token_by_id(token);
                if (row && is_news(*row, at)) {
                    row->last_used_at = at;
                    tx.update(*row);
                }
            }
            return {};
        },
        Ending::commit);
}

}  // namespace iotsky::provisioning
