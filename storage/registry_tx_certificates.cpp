#include <charconv>
#include <utility>

#include "storage/registry_tx.hpp"
#include "storage/rows.hpp"

namespace iotsky::storage {

using namespace provisioning;

namespace {

#define IOTSKY_CERTIFICATE_COLUMNS                                                      \
    "id, entry_id, issuer, serial, fingerprint, status, origin, key_type, not_before, " \
    "not_after, pem, service, renewed_from, revoked_at, revoke_reason, created_us, rev"

CertificateRecord read_certificate(Query& query) {
    CertificateRecord row;
    query.read(row.id, row.entry_id, row.issuer, row.serial, row.fingerprint);
    row.status = read_word<CertificateStatus>(query);
    row.origin = read_word<CertificateOrigin>(query);
    query.read(row.key_type, row.not_before, row.not_after);
    row.pem = query.get<std::optional<std::string>>().value_or("");
    query.read(row.service, row.renewed_from, row.revoked_at, row.revoke_reason, row.created_us,
               row.rev);
    return row;
}

std::optional<std::string> pem_of(const CertificateRecord& row) {
    return row.pem.empty() ? std::nullopt : std::optional{row.pem};
}

std::optional<std::string> word(const std::optional<CertificateStatus>& status) {
    return status ? std::optional{std::string{to_string(*status)}} : std::nullopt;
}

/// "<created_us>-<id>" of a page; the start for anything else.
std::pair<std::int64_t, std::string> split_key(std::string_view after) {
    std::int64_t created = -1;
    const std::size_t dash = after.find('-');
    if (dash == std::string_view::npos) {
        return {created, {}};
    }
    std::from_chars(after.data(), after.data() + dash, created);
    return {created, std::string{after.substr(dash + 1)}};
}

}  // namespace

std::optional<CertificateRecord> RegistryTx::certificate_by_id(const Id& id) {
    return first_row(
        db_.query("SELECT " IOTSKY_CERTIFICATE_COLUMNS " FROM certificates WHERE id = ?1", id),
        read_certificate);
}

std::optional<CertificateRecord> RegistryTx::certificate_by_fingerprint(
    const certs::Fingerprint& fingerprint) {
    return first_row(
        db_.query("SELECT " IOTSKY_CERTIFICATE_COLUMNS " FROM certificates WHERE fingerprint = ?1",
                  fingerprint),
        read_certificate);
}

std::vector<CertificateRecord> RegistryTx::certificates_by_serial(std::string_view serial) {
    return all_rows(
        db_.query("SELECT " IOTSKY_CERTIFICATE_COLUMNS " FROM certificates WHERE serial = ?1",
                  serial),
        read_certificate);
}

std::vector<CertificateRecord> RegistryTx::certificates(const CertificateFilter& filter,
                                                        const Page& page) {
    const auto [created_us, id] = split_key(page.after);
    return all_rows(db_.query("SELECT " IOTSKY_CERTIFICATE_COLUMNS
                              " FROM certificates AS c WHERE status <> 'pending' "
                              "AND (?1 IS NULL OR EXISTS (SELECT 1 FROM certificate_things AS ct "
                              "JOIN things AS t ON t.id = ct.thing_id "
                              "WHERE ct.certificate_id = c.id AND t.class_id = ?1)) "
                              "AND (?2 IS NULL OR EXISTS (SELECT 1 FROM certificate_things AS ct "
                              "WHERE ct.certificate_id = c.id AND ct.thing_id = ?2)) "
                              "AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR not_after < ?4) "
                              "AND (created_us > ?5 OR (created_us = ?5 AND lower(hex(id)) > ?6)) "
                              "ORDER BY created_us, id LIMIT ?7",
                              filter.class_id, filter.thing_id, word(filter.status),
                              filter.ends_before, created_us, id, limit_of(page.limit)),
                    read_certificate);
}

std::vector<Id> RegistryTx::things_of_certificate(const Id& certificate_id) {
    return all_rows(db_.query("SELECT thing_id FROM certificate_things WHERE certificate_id = ?1",
                              certificate_id),
                    read_id);
}

std::vector<Id> RegistryTx::certificates_of_thing(const Id& thing_id) {
    return all_rows(
        db_.query("SELECT certificate_id FROM certificate_things WHERE thing_id = ?1", thing_id),
        read_id);
}

std::vector<Id> RegistryTx::pending_certificates(WallTime before) {
    const std::int64_t before_us = to_unix_s(before) * 1'000'000;
    return all_rows(
        db_.query("SELECT id FROM certificates WHERE status = 'pending' AND created_us < ?1",
                  before_us),
        read_id);
}

void RegistryTx::insert(const CertificateRecord& row) {
    db_.run("INSERT INTO certificates (" IOTSKY_CERTIFICATE_COLUMNS
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
            "?17)",
            row.id, row.entry_id, row.issuer, row.serial, row.fingerprint, to_string(row.status),
            to_string(row.origin), row.key_type, row.not_before, row.not_after, pem_of(row),
            row.service, row.renewed_from, row.revoked_at, row.revoke_reason, row.created_us,
            row.rev);
}

void RegistryTx::update(const CertificateRecord& row) {
    db_.run(
        "UPDATE certificates SET fingerprint = ?2, status = ?3, key_type = ?4, "
        "not_before = ?5, not_after = ?6, pem = ?7, revoked_at = ?8, revoke_reason = ?9, "
        "rev = rev + 1 WHERE id = ?1",
        row.id, row.fingerprint, to_string(row.status), row.key_type, row.not_before, row.not_after,
        pem_of(row), row.revoked_at, row.revoke_reason);
}

void RegistryTx::erase_certificate(const Id& id) {
    db_.run("DELETE FROM certificates WHERE id = ?1", id);
}

void RegistryTx::attach_thing(const Id& certificate_id, const Id& thing_id) {
    db_.run("INSERT OR IGNORE INTO certificate_things (certificate_id, thing_id) VALUES (?1, ?2)",
            certificate_id, thing_id);
}

void RegistryTx::detach_thing(const Id& certificate_id, const Id& thing_id) {
    db_.run("DELETE FROM certificate_things WHERE certificate_id = ?1 AND thing_id = ?2",
            certificate_id, thing_id);
}

}  // namespace iotsky::storage
