#include "storage/registry_tx.hpp"
#include "storage/rows.hpp"

namespace iotsky::storage {

using namespace provisioning;

namespace {

#define IOTSKY_POLICY_COLUMNS "id, name, default_version, last_version, created_at, rev"
#define IOTSKY_VERSION_COLUMNS "policy_id, version, document, created_at"

PolicyRecord read_policy(Query& query) {
    PolicyRecord row;
    query.read(row.id, row.name, row.default_version, row.last_version, row.created_at, row.rev);
    return row;
}

PolicyVersionRecord read_version(Query& query) {
    PolicyVersionRecord row;
    query.read(row.policy_id, row.version, row.document, row.created_at);
    return row;
}

Target read_target(Query& query) {
    Target target;
    target.kind = read_word<TargetKind>(query);
    query.get(target.id);
    return target;
}

}  // namespace

std::optional<PolicyRecord> RegistryTx::policy_by_id(const Id& id) {
    return first_row(db_.query("SELECT " IOTSKY_POLICY_COLUMNS " FROM policies WHERE id = ?1", id),
                     read_policy);
}

std::optional<PolicyRecord> RegistryTx::policy_by_name(std::string_view name) {
    return first_row(
        db_.query("SELECT " IOTSKY_POLICY_COLUMNS " FROM policies WHERE name = ?1", name),
        read_policy);
}

std::vector<PolicyRecord> RegistryTx::policies(const Page& page) {
    return all_rows(db_.query("SELECT " IOTSKY_POLICY_COLUMNS
                              " FROM policies WHERE name > ?1 ORDER BY name LIMIT ?2",
                              page.after, limit_of(page.limit)),
                    read_policy);
}

std::optional<PolicyVersionRecord> RegistryTx::policy_version(const Id& policy_id,
                                                              std::int64_t version) {
    return first_row(db_.query("SELECT " IOTSKY_VERSION_COLUMNS
                               " FROM policy_versions WHERE policy_id = ?1 AND version = ?2",
                               policy_id, version),
                     read_version);
}

std::vector<PolicyVersionRecord> RegistryTx::policy_versions(const Id& policy_id) {
    return all_rows(db_.query("SELECT " IOTSKY_VERSION_COLUMNS
                              " FROM policy_versions WHERE policy_id = ?1 ORDER BY version",
                              policy_id),
                    read_version);
}

std::vector<Target> RegistryTx::targets_of_policy(const Id& policy_id) {
    return all_rows(db_.query("SELECT target_kind, target_id FROM attachments "
                              "WHERE policy_id = ?1 ORDER BY target_kind, target_id",
                              policy_id),
                    read_target);
}

std::vector<PolicyRecord> RegistryTx::policies_of_target(const Target& target) {
    return all_rows(
        db_.query("SELECT " IOTSKY_POLICY_COLUMNS " FROM policies WHERE id IN (SELECT policy_id "
                  "FROM attachments WHERE target_kind = ?1 AND target_id = ?2) ORDER BY name",
                  to_string(target.kind), target.id),
        read_policy);
}

void RegistryTx::insert(const PolicyRecord& row) {
    db_.run("INSERT INTO policies (" IOTSKY_POLICY_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            row.id, row.name, row.default_version, row.last_version, row.created_at, row.rev);
}

void RegistryTx::update(const PolicyRecord& row) {
    db_.run(
        "UPDATE policies SET default_version = ?2, last_version = ?3, rev = rev + 1 "
        "WHERE id = ?1",
        row.id, row.default_version, row.last_version);
}

void RegistryTx::erase_policy(const Id& id) {
    db_.run("DELETE FROM policies WHERE id = ?1", id);
}

void RegistryTx::insert(const PolicyVersionRecord& row) {
    db_.run("INSERT INTO policy_versions (" IOTSKY_VERSION_COLUMNS ") VALUES (?1, ?2, ?3, ?4)",
            row.policy_id, row.version, row.document, row.created_at);
}

void RegistryTx::erase_policy_version(const Id& policy_id, std::int64_t version) {
    db_.run("DELETE FROM policy_versions WHERE policy_id = ?1 AND version = ?2", policy_id,
            version);
}

void RegistryTx::attach_policy(const Id& policy_id, const Target& target, WallTime at) {
    db_.run(
        "INSERT OR IGNORE INTO attachments (policy_id, target_kind, target_id, created_at) "
        "VALUES (?1, ?2, ?3, ?4)",
        policy_id, to_string(target.kind), target.id, at);
}

void RegistryTx::detach_policy(const Id& policy_id, const Target& target) {
    db_.run("DELETE FROM attachments WHERE policy_id = ?1 AND target_kind = ?2 AND target_id = ?3",
            policy_id, to_string(target.kind), target.id);
}

void RegistryTx::detach_all_policies(const Target& target) {
    db_.run("DELETE FROM attachments WHERE target_kind = ?1 AND target_id = ?2",
            to_string(target.kind), target.id);
}

}  // namespace iotsky::storage
