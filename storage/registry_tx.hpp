#pragma once

#include "provisioning/store.hpp"
#include "storage/db.hpp"

namespace iotsky::storage {

/// Rows of registry.db to records and back, over one connection; on a read-only connection it
/// serves as a Reader. Failures stick in the Db. Thread: confined to that of its Db.
class RegistryTx final : public provisioning::Tx {
  public:
    explicit RegistryTx(Db& db) noexcept : db_(db) {}

    // registry_tx_classes.cpp
    std::optional<provisioning::ClassRecord> class_by_id(const Id& id) override;
    std::optional<provisioning::ClassRecord> class_by_name(std::string_view name) override;
    std::vector<provisioning::ClassRecord> classes(const provisioning::Page& page) override;
    void insert(const provisioning::ClassRecord& row) override;
    void update(const provisioning::ClassRecord& row) override;
    void erase_class(const Id& id) override;

    std::optional<provisioning::StudentRecord> student_by_id(const Id& id) override;
    std::optional<provisioning::StudentRecord> student_by_pseudonym(
        const Id& class_id, std::string_view pseudonym) override;
    std::vector<provisioning::StudentRecord> students(const Id& class_id,
                                                      const provisioning::Page& page) override;
    std::vector<provisioning::StudentRecord> students_of_project(const Id& project_id) override;
    void insert(const provisioning::StudentRecord& row) override;
    void update(const provisioning::StudentRecord& row) override;
    void erase_student(const Id& id) override;

    // registry_tx_things.cpp
    std::optional<provisioning::ProjectRecord> project_by_id(const Id& id) override;
    std::optional<provisioning::ProjectRecord> project_by_name(const Id& class_id,
                                                               std::string_view name) override;
    std::vector<provisioning::ProjectRecord> projects(const Id& class_id,
                                                      const provisioning::Page& page) override;
    std::vector<provisioning::ProjectRecord> projects_of_student(const Id& student_id) override;
    void insert(const provisioning::ProjectRecord& row) override;
    void update(const provisioning::ProjectRecord& row) override;
    void erase_project(const Id& id) override;
    void add_student_to_project(const Id& project_id, const Id& student_id) override;

    std::optional<provisioning::ThingRecord> thing_by_id(const Id& id) override;
    std::optional<provisioning::ThingRecord> thing_by_aws_name(std::string_view aws_name) override;
    std::vector<provisioning::ThingRecord> things(const provisioning::ThingFilter& filter,
                                                  const provisioning::Page& page) override;
    std::size_t count_things(const Id& project_id) override;
    void insert(const provisioning::ThingRecord& row) override;
    void update(const provisioning::ThingRecord& row) override;
    void erase_thing(const Id& id) override;

    // registry_tx_certificates.cpp
    std::optional<provisioning::CertificateRecord> certificate_by_id(const Id& id) override;
    std::optional<provisioning::CertificateRecord> certificate_by_fingerprint(
        const certs::Fingerprint& fingerprint) override;
    std::vector<provisioning::CertificateRecord> certificates_by_serial(
        std::string_view serial) override;
    std::vector<provisioning::CertificateRecord> certificates(
        const provisioning::CertificateFilter& filter, const provisioning::Page& page) override;
    std::vector<Id> things_of_certificate(const Id& certificate_id) override;
    std::vector<Id> certificates_of_thing(const Id& thing_id) override;
    std::vector<Id> pending_certificates(WallTime before) override;
    void insert(const provisioning::CertificateRecord& row) override;
    void update(const provisioning::CertificateRecord& row) override;
    void erase_certificate(const Id& id) override;
    void attach_thing(const Id& certificate_id, const Id& thing_id) override;
    void detach_thing(const Id& certificate_id, const Id& thing_id) override;

    // registry_tx_policies.cpp
    std::optional<provisioning::PolicyRecord> policy_by_id(const Id& id) override;
    std::optional<provisioning::PolicyRecord> policy_by_name(std::string_view name) override;
    std::vector<provisioning::PolicyRecord> policies(const provisioning::Page& page) override;
    std::optional<provisioning::PolicyVersionRecord> policy_version(const Id& policy_id,
                                                                    std::int64_t version) override;
    std::vector<provisioning::PolicyVersionRecord> policy_versions(const Id& policy_id) override;
    std::vector<provisioning::Target> targets_of_policy(const Id& policy_id) override;
    std::vector<provisioning::PolicyRecord> policies_of_target(
        const provisioning::Target& target) override;
    void insert(const provisioning::PolicyRecord& row) override;
    void update(const provisioning::PolicyRecord& row) override;
    void erase_policy(const Id& id) override;
    void insert(const provisioning::PolicyVersionRecord& row) override;
    void erase_policy_version(const Id& policy_id, std::int64_t version) override;
    void attach_policy(const Id& policy_id, const provisioning::Target& target,
                       WallTime at) override;
    void detach_policy(const Id& policy_id, const provisioning::Target& target) override;
    void detach_all_policies(const provisioning::Target& target) override;

    // registry_tx_log.cpp: tokens, events, audit, idempotency keys
    std::optional<provisioning::TokenRecord> token_by_id(const Id& id) override;
    std::optional<provisioning::TokenRecord> token_by_hash(
        const provisioning::Sha256& sha256) override;
    std::vector<provisioning::TokenRecord> tokens(const provisioning::Page& page) override;
    void for_each_token_facts(
        const std::function<void(provisioning::TokenFacts&&)>& visit) override;
    void insert(const provisioning::TokenRecord& row) override;
    void update(const provisioning::TokenRecord& row) override;
    void erase_tokens_of_class(const Id& class_id) override;
    void erase_tokens_of_project(const Id& project_id) override;
    std::vector<provisioning::Event> events_after(std::uint64_t seq, std::size_t limit) override;
    std::vector<provisioning::Event> unpublished_events(std::size_t limit) override;
    std::uint64_t last_event_seq() override;
    std::uint64_t append_event(WallTime at, std::string_view kind, std::string_view body) override;
    void mark_events_published(std::uint64_t up_to_seq) override;
    void erase_events_before(WallTime at) override;
    std::vector<provisioning::AuditEntry> audit_after(std::uint64_t seq,
                                                      std::size_t limit) override;
    std::optional<provisioning::AuditEntry> last_audit_entry() override;
    void append_audit(const provisioning::AuditEntry& row) override;
    std::optional<provisioning::IdempotencyRecord> idempotency(std::string_view caller,
                                                               std::string_view key) override;
    void insert(const provisioning::IdempotencyRecord& row) override;
    void mark_key_handed_out(std::string_view caller, std::string_view key) override;
    void erase_idempotency_before(WallTime at) override;
    void give_back_space() override;

    // registry_tx_facts.cpp
    void for_each_certificate_facts(
        const std::function<void(provisioning::CertificateFacts&&)>& visit) override;
    std::optional<provisioning::CertificateFacts> certificate_facts(
        const Id& certificate_id) override;
    std::vector<Id> certificates_affected(const provisioning::Affected& affected) override;

  private:
    Db& db_;
};

}  // namespace iotsky::storage
