#include <algorithm>
#include <unordered_map>

#include "storage/registry_tx.hpp"
#include "storage/rows.hpp"

namespace iotsky::storage {

using namespace provisioning;

namespace {

#define IOTSKY_FACT_COLUMNS                                                             \
    "id, entry_id, issuer, serial, fingerprint, status, origin, key_type, not_before, " \
    "not_after, service, created_us, rev"

CertificateRecord read_facts(Query& query) {
    CertificateRecord row;
    query.read(row.id, row.entry_id, row.issuer, row.serial, row.fingerprint);
    row.status = read_word<CertificateStatus>(query);
    row.origin = read_word<CertificateOrigin>(query);
    query.read(row.key_type, row.not_before, row.not_after, row.service, row.created_us, row.rev);
    return row;
}

void sort_unique(std::vector<Id>& ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

/// Attachments, links and groups of the whole registry: three scans instead of several lookups for
/// each certificate.
class Links {
  public:
    explicit Links(Db& db) {
        read(db.query("SELECT target_id, policy_id FROM attachments"), policies_);
        read(db.query("SELECT certificate_id, thing_id FROM certificate_things"), things_);
        read(db.query("SELECT thing_id, group_id FROM thing_group_members"), groups_);
    }

    /// Nil when there is none or several.
    [[nodiscard]] Id one_thing(const Id& certificate_id) const {
        const auto found = things_.find(certificate_id);
        return found == things_.end() || found->second.size() != 1 ? Id{} : found->second[0];
    }

    [[nodiscard]] std::vector<Id> policies(const CertificateFacts& facts) const {
        std::vector<Id> ids;
        add(facts.certificate.id, ids);
        if (facts.thing) {
            add(facts.thing->id, ids);
            add(facts.thing->class_id.value_or(Id{}), ids);
            add(facts.thing->project_id.value_or(Id{}), ids);
            if (const auto found = groups_.find(facts.thing->id); found != groups_.end()) {
                for (const Id& group : found->second) {
                    add(group, ids);
                }
            }
        }
        sort_unique(ids);
        return ids;
    }

  private:
    using Map = std::unordered_map<Id, std::vector<Id>>;

    static void read(Query&& query, Map& map) {
        while (query.next()) {
            const Id from = query.get<Id>();
            map[from].push_back(query.get<Id>());
        }
    }
    void add(const Id& target, std::vector<Id>& ids) const {
        // 128-bit ids of different kinds never meet, so the kind need not be compared.
        if (const auto found = policies_.find(target); found != policies_.end()) {
            ids.insert(ids.end(), found->second.begin(), found->second.end());
        }
    }

    Map policies_;
    Map things_;
    Map groups_;
};

constexpr const char* kPoliciesOfCertificate =
    "WITH one AS (SELECT t.id, t.class_id, t.project_id FROM certificate_things AS ct "
    "  JOIN things AS t ON t.id = ct.thing_id WHERE ct.certificate_id = ?1 "
    "  AND (SELECT count(*) FROM certificate_things WHERE certificate_id = ?1) = 1) "
    "SELECT DISTINCT policy_id FROM attachments WHERE "
    "(target_kind = 'certificate' AND target_id = ?1) "
    "OR (target_kind = 'thing' AND target_id IN (SELECT id FROM one)) "
    "OR (target_kind = 'class' AND target_id IN (SELECT class_id FROM one)) "
    "OR (target_kind = 'project' AND target_id IN (SELECT project_id FROM one)) "
    "OR (target_kind = 'group' AND target_id IN (SELECT group_id FROM thing_group_members "
    "    WHERE thing_id IN (SELECT id FROM one))) "
    "ORDER BY policy_id";

constexpr const char* kCertificatesOfPolicy =
    "WITH targets AS (SELECT target_kind AS kind, target_id AS id FROM attachments "
    "  WHERE policy_id = ?1) "
    "SELECT id FROM targets WHERE kind = 'certificate' "
    "UNION SELECT certificate_id FROM certificate_things WHERE thing_id IN ("
    "  SELECT id FROM targets WHERE kind = 'thing' "
    "  UNION SELECT t.id FROM things AS t JOIN targets AS x ON x.kind = 'class' "
    "    AND x.id = t.class_id "
    "  UNION SELECT t.id FROM things AS t JOIN targets AS x ON x.kind = 'project' "
    "    AND x.id = t.project_id "
    "  UNION SELECT m.thing_id FROM thing_group_members AS m JOIN targets AS x "
    "    ON x.kind = 'group' AND x.id = m.group_id)";

}  // namespace

void RegistryTx::for_each_certificate_facts(const std::function<void(CertificateFacts&&)>& visit) {
    const Links links(db_);
    std::unordered_map<Id, ThingRecord> things;
    for (Page page{{}, 10'000};;) {
        std::vector<ThingRecord> rows = this->things({}, page);
        if (rows.empty()) {
            break;
        }
        page.after = rows.back().aws_name;
        for (ThingRecord& row : rows) {
            const Id id = row.id;
            things.emplace(id, std::move(row));
        }
    }
    Query query =
        db_.query("SELECT " IOTSKY_FACT_COLUMNS " FROM certificates WHERE status <> 'pending'");
    while (query.next()) {
        CertificateFacts facts;
        facts.certificate = read_facts(query);
        if (const auto found = things.find(links.one_thing(facts.certificate.id));
            found != things.end()) {
            facts.thing = found->second;
        }
        facts.policies = links.policies(facts);
        visit(std::move(facts));
    }
}

std::optional<CertificateFacts> RegistryTx::certificate_facts(const Id& certificate_id) {
    auto certificate =
        first_row(db_.query("SELECT " IOTSKY_FACT_COLUMNS
                            " FROM certificates WHERE id = ?1 AND status <> 'pending'",
                            certificate_id),
                  read_facts);
    if (!certificate) {
        return std::nullopt;
    }
    CertificateFacts facts;
    facts.certificate = std::move(*certificate);
    if (const std::vector<Id> things = things_of_certificate(certificate_id); things.size() == 1) {
        facts.thing = thing_by_id(things[0]);
    }
    facts.policies = all_rows(db_.query(kPoliciesOfCertificate, certificate_id), read_id);
    return facts;
}

std::vector<Id> RegistryTx::certificates_affected(const Affected& affected) {
    std::vector<Id> ids = affected.certificates;
    const auto add = [&](Query&& query) {
        while (query.next()) {
            ids.push_back(query.get<Id>());
        }
    };
    for (const Id& thing : affected.things) {
        add(db_.query("SELECT certificate_id FROM certificate_things WHERE thing_id = ?1", thing));
    }
    for (const Id& class_id : affected.classes) {
        add(
            db_.query("SELECT ct.certificate_id FROM certificate_things AS ct "
                      "JOIN things AS t ON t.id = ct.thing_id WHERE t.class_id = ?1",
                      class_id));
    }
    for (const Id& policy : affected.policies) {
        add(db_.query(kCertificatesOfPolicy, policy));
    }
    sort_unique(ids);
    return ids;
}

}  // namespace iotsky::storage
