#include <charconv>

#include "storage/registry_tx.hpp"
#include "storage/rows.hpp"

namespace iotsky::storage {

using namespace provisioning;

namespace {

#define IOTSKY_TOKEN_COLUMNS                                                               \
    "id, name, sha256, role, class_id, project_id, expires_at, last_used_at, revoked_at, " \
    "created_us, rev"

TokenRecord read_token(Query& query) {
    TokenRecord row;
    query.read(row.id, row.name, row.sha256);
    row.role = read_word<Role>(query);
    query.read(row.class_id, row.project_id, row.expires_at, row.last_used_at, row.revoked_at,
               row.created_us, row.rev);
    return row;
}

Event read_event(Query& query) {
    Event row;
    query.read(row.seq, row.at, row.kind, row.body);
    return row;
}

AuditEntry read_audit(Query& query) {
    AuditEntry row;
    query.read(row.seq, row.at, row.actor, row.action, row.object, row.detail, row.hash);
    return row;
}

IdempotencyRecord read_idempotency(Query& query) {
    IdempotencyRecord row;
    query.read(row.caller, row.key, row.request_sha256, row.answer, row.key_handed_out,
               row.created_at);
    return row;
}

std::int64_t created_after(std::string_view after) {
    std::int64_t created = -1;
    std::from_chars(after.data(), after.data() + after.size(), created);
    return created;
}

}  // namespace

std::optional<TokenRecord> RegistryTx::token_by_id(const Id& id) {
    return first_row(db_.query("SELECT " IOTSKY_TOKEN_COLUMNS " FROM tokens WHERE id = ?1", id),
                     read_token);
}

std::optional<TokenRecord> RegistryTx::token_by_hash(const Sha256& sha256) {
    return first_row(
        db_.query("SELECT " IOTSKY_TOKEN_COLUMNS " FROM tokens WHERE sha256 = ?1", sha256),
        read_token);
}

std::vector<TokenRecord> RegistryTx::tokens(const Page& page) {
    const std::size_t dash = page.after.find('-');
    const bool first = dash == std::string::npos;
    const std::string id = first ? std::string{} : page.after.substr(dash + 1);
    return all_rows(db_.query("SELECT " IOTSKY_TOKEN_COLUMNS " FROM tokens WHERE created_us > ?1 "
                              "OR (created_us = ?1 AND lower(hex(id)) > ?2) "
                              "ORDER BY created_us, id LIMIT ?3",
                              created_after(page.after), id, limit_of(page.limit)),
                    read_token);
}

void RegistryTx::for_each_token_facts(const std::function<void(TokenFacts&&)>& visit) {
    Query query =
        db_.query("SELECT " IOTSKY_TOKEN_COLUMNS
                  ", coalesce((SELECT p.name FROM projects AS p WHERE p.id = project_id), '') "
                  "FROM tokens");
    while (query.next()) {
        TokenFacts facts;
        facts.token = read_token(query);
        query.read(facts.project);
        visit(std::move(facts));
    }
}

void RegistryTx::insert(const TokenRecord& row) {
    db_.run("INSERT INTO tokens (" IOTSKY_TOKEN_COLUMNS
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            row.id, row.name, row.sha256, to_string(row.role), row.class_id, row.project_id,
            row.expires_at, row.last_used_at, row.revoked_at, row.created_us, row.rev);
}

void RegistryTx::update(const TokenRecord& row) {
    db_.run("UPDATE tokens SET last_used_at = ?2, revoked_at = ?3, rev = rev + 1 WHERE id = ?1",
            row.id, row.last_used_at, row.revoked_at);
}

void RegistryTx::erase_tokens_of_class(const Id& class_id) {
    db_.run("DELETE FROM tokens WHERE class_id = ?1", class_id);
}

void RegistryTx::erase_tokens_of_project(const Id& project_id) {
    db_.run("DELETE FROM tokens WHERE project_id = ?1", project_id);
}

std::vector<Event> RegistryTx::events_after(std::uint64_t seq, std::size_t limit) {
    return all_rows(db_.query("SELECT seq, at, kind, body FROM outbox WHERE seq > ?1 "
                              "ORDER BY seq LIMIT ?2",
                              seq, limit_of(limit)),
                    read_event);
}

std::vector<Event> RegistryTx::unpublished_events(std::size_t limit) {
    return all_rows(db_.query("SELECT seq, at, kind, body FROM outbox WHERE published = 0 "
                              "ORDER BY seq LIMIT ?1",
                              limit_of(limit)),
                    read_event);
}

std::uint64_t RegistryTx::last_event_seq() {
    Query query = db_.query("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
    return query.next() ? query.get<std::uint64_t>() : 0;
}

std::uint64_t RegistryTx::append_event(WallTime at, std::string_view kind, std::string_view body) {
    Query query = db_.query("INSERT INTO outbox (at, kind, body) VALUES (?1, ?2, ?3) RETURNING seq",
                            at, kind, body);
    const std::uint64_t seq = query.next() ? query.get<std::uint64_t>() : 0;
    query.next();
    return seq;
}

void RegistryTx::mark_events_published(std::uint64_t up_to_seq) {
    db_.run("UPDATE outbox SET published = 1 WHERE published = 0 AND seq <= ?1", up_to_seq);
}

void RegistryTx::erase_events_before(WallTime at) {
    db_.run("DELETE FROM outbox WHERE published = 1 AND at < ?1", at);
}

std::vector<AuditEntry> RegistryTx::audit_after(std::uint64_t seq, std::size_t limit) {
    return all_rows(db_.query("SELECT seq, at, actor, action, object, detail, hash FROM audit "
                              "WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                              seq, limit_of(limit)),
                    read_audit);
}

std::optional<AuditEntry> RegistryTx::last_audit_entry() {
    return first_row(db_.query("SELECT seq, at, actor, action, object, detail, hash FROM audit "
                               "ORDER BY seq DESC LIMIT 1"),
                     read_audit);
}

void RegistryTx::append_audit(const AuditEntry& row) {
    db_.run(
        "INSERT INTO audit (seq, at, actor, action, object, detail, hash) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        row.seq, row.at, row.actor, row.action, row.object, row.detail, row.hash);
}

std::optional<IdempotencyRecord> RegistryTx::idempotency(std::string_view caller,
                                                         std::string_view key) {
    return first_row(
        db_.query("SELECT caller, idempotency_key, request_sha256, answer, key_handed_out, "
                  "created_at FROM idempotency_keys WHERE caller = ?1 AND idempotency_key = ?2",
                  caller, key),
        read_idempotency);
}

void RegistryTx::insert(const IdempotencyRecord& row) {
    db_.run(
        "INSERT OR REPLACE INTO idempotency_keys (caller, idempotency_key, request_sha256, answer, "
        "key_handed_out, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        row.caller, row.key, row.request_sha256, row.answer, row.key_handed_out, row.created_at);
}

void RegistryTx::mark_key_handed_out(std::string_view caller, std::string_view key) {
    db_.run(
        "UPDATE idempotency_keys SET key_handed_out = 1 "
        "WHERE caller = ?1 AND idempotency_key = ?2",
        caller, key);
}

void RegistryTx::erase_idempotency_before(WallTime at) {
    db_.run("DELETE FROM idempotency_keys WHERE created_at < ?1", at);
}

void RegistryTx::give_back_space() {
    // 4 MB at most in one go: other writers wait meanwhile.
    db_.run("PRAGMA incremental_vacuum(1024)");
}

}  // namespace iotsky::storage
