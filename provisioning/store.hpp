#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "provisioning/records.hpp"

/// What the registry needs of its database. Implemented by `storage/registry_store`.
namespace iotsky::provisioning {

/// A page of a list: what comes after the sort key `after` (empty = from the start), at most
/// `limit` rows.
struct Page {
    std::string after;
    std::size_t limit = 100;
};

/// Filters of the list of things; what is not set does not filter.
struct ThingFilter {
    std::optional<Id> class_id;
    std::optional<Id> project_id;
    std::string part;  ///< occurs in the AWS name
};

/// Filters of the list of certificates; what is not set does not filter.
struct CertificateFilter {
    std::optional<Id> class_id;
    std::optional<Id> thing_id;
    std::optional<CertificateStatus> status;
    std::optional<WallTime> ends_before;
};

/// What decides about a certificate at CONNECT, read in one go.
struct CertificateFacts {
    CertificateRecord certificate;     ///< `pem` is left empty
    std::optional<ThingRecord> thing;  ///< the one it is attached to; none when none or several
    /// Attached to it, to its one thing, and to that one's groups, project and class; each once,
    /// sorted.
    std::vector<Id> policies;
};

/// What decides about a token as MQTT password, read in one go.
struct TokenFacts {
    TokenRecord token;
    std::string project;  ///< name of the project that it is narrowed to; empty: to none
};

/// What a row change can touch; turned into the certificates to publish anew.
struct Affected {
    std::vector<Id> certificates;
    std::vector<Id> things;
    std::vector<Id> classes;
    std::vector<Id> policies;
    bool tokens = false;  ///< a token was made, revoked or erased

    [[nodiscard]] bool empty() const noexcept {
        return certificates.empty() && things.empty() && classes.empty() && policies.empty() &&
               !tokens;
    }
};

/// Reads in one consistent snapshot. A failed read returns nothing and makes the whole
/// `Store::read` or `Store::transact` fail with the storage error, whatever the callback returns:
/// callers need not check each row. Thread: only inside the callback that it was handed to.
class Reader {
  public:
    virtual ~Reader() = default;

    virtual std::optional<ClassRecord> class_by_id(const Id& id) = 0;
    virtual std::optional<ClassRecord> class_by_name(std::string_view name) = 0;
    virtual std::vector<ClassRecord> classes(const Page& page) = 0;  ///< by name

    virtual std::optional<StudentRecord> student_by_id(const Id& id) = 0;
    virtual std::optional<StudentRecord> student_by_pseudonym(const Id& class_id,
                                                              std::string_view pseudonym) = 0;
    virtual std::vector<StudentRecord> students(const Id& class_id, const Page& page) = 0;
    virtual std::vector<StudentRecord> students_of_project(const Id& project_id) = 0;

    virtual std::optional<ProjectRecord> project_by_id(const Id& id) = 0;
    virtual std::optional<ProjectRecord> project_by_name(const Id& class_id,
                                                         std::string_view name) = 0;
    virtual std::vector<ProjectRecord> projects(const Id& class_id, const Page& page) = 0;
    virtual std::vector<ProjectRecord> projects_of_student(const Id& student_id) = 0;

    virtual std::optional<ThingRecord> thing_by_id(const Id& id) = 0;
    virtual std::optional<ThingRecord> thing_by_aws_name(std::string_view aws_name) = 0;
    virtual std::vector<ThingRecord> things(const ThingFilter& filter,
                                            const Page& page) = 0;  ///< by AWS name
    virtual std::size_t count_things(const Id& project_id) = 0;

    virtual std::optional<CertificateRecord> certificate_by_id(const Id& id) = 0;
    virtual std::optional<CertificateRecord> certificate_by_fingerprint(
        const certs::Fingerprint& fingerprint) = 0;
    /// All with this serial number (one for each issuer).
    virtual std::vector<CertificateRecord> certificates_by_serial(std::string_view serial) = 0;
    /// In order of creation; the sort key is "<created_us>-<id in hexadecimal>".
    virtual std::vector<CertificateRecord> certificates(const CertificateFilter& filter,
                                                        const Page& page) = 0;
    virtual std::vector<Id> things_of_certificate(const Id& certificate_id) = 0;
    virtual std::vector<Id> certificates_of_thing(const Id& thing_id) = 0;
    /// Reserved serials older than `before` that nothing came of.
    virtual std::vector<Id> pending_certificates(WallTime before) = 0;

    virtual std::optional<PolicyRecord> policy_by_id(const Id& id) = 0;
    virtual std::optional<PolicyRecord> policy_by_name(std::string_view name) = 0;
    virtual std::vector<PolicyRecord> policies(const Page& page) = 0;  ///< by name
    virtual std::optional<PolicyVersionRecord> policy_version(const Id& policy_id,
                                                              std::int64_t version) = 0;
    virtual std::vector<PolicyVersionRecord> policy_versions(const Id& policy_id) = 0;
    virtual std::vector<Target> targets_of_policy(const Id& policy_id) = 0;
    virtual std::vector<PolicyRecord> policies_of_target(const Target& target) = 0;

    virtual std::optional<TokenRecord> token_by_id(const Id& id) = 0;
    virtual std::optional<TokenRecord> token_by_hash(const Sha256& sha256) = 0;
    virtual std::vector<TokenRecord> tokens(const Page& page) = 0;  ///< in order of creation
    /// Facts of every token, in no order.
    virtual void for_each_token_facts(const std::function<void(TokenFacts&&)>& visit) = 0;

    virtual std::vector<Event> events_after(std::uint64_t seq, std::size_t limit) = 0;
    virtual std::vector<Event> unpublished_events(std::size_t limit) = 0;
    virtual std::uint64_t last_event_seq() = 0;

    virtual std::vector<AuditEntry> audit_after(std::uint64_t seq, std::size_t limit) = 0;
    virtual std::optional<AuditEntry> last_audit_entry() = 0;

    virtual std::optional<IdempotencyRecord> idempotency(std::string_view caller,
                                                         std::string_view key) = 0;

    /// Facts of every certificate that is not pending, in no order.
    virtual void for_each_certificate_facts(
        const std::function<void(CertificateFacts&&)>& visit) = 0;
    /// nullopt: no such certificate, or it is pending.
    virtual std::optional<CertificateFacts> certificate_facts(const Id& certificate_id) = 0;
    virtual std::vector<Id> certificates_affected(const Affected& affected) = 0;
};

/// Reads and writes of one transaction. Names and references are checked by the caller, who is
/// alone: transactions run one after the other. A failed write fails the transaction as a failed
/// read does. Thread: `registry`, inside the callback.
class Tx : public Reader {
  public:
    virtual void insert(const ClassRecord& row) = 0;
    virtual void update(const ClassRecord& row) = 0;  ///< raises rev; likewise the others
    virtual void erase_class(const Id& id) = 0;

    virtual void insert(const StudentRecord& row) = 0;
    virtual void update(const StudentRecord& row) = 0;
    virtual void erase_student(const Id& id) = 0;

    virtual void insert(const ProjectRecord& row) = 0;
    virtual void update(const ProjectRecord& row) = 0;
    virtual void erase_project(const Id& id) = 0;
    virtual void add_student_to_project(const Id& project_id, const Id& student_id) = 0;

    virtual void insert(const ThingRecord& row) = 0;
    virtual void update(const ThingRecord& row) = 0;
    virtual void erase_thing(const Id& id) = 0;

    virtual void insert(const CertificateRecord& row) = 0;
    virtual void update(const CertificateRecord& row) = 0;
    virtual void erase_certificate(const Id& id) = 0;
    virtual void attach_thing(const Id& certificate_id, const Id& thing_id) = 0;
    virtual void detach_thing(const Id& certificate_id, const Id& thing_id) = 0;

    virtual void insert(const PolicyRecord& row) = 0;
    virtual void update(const PolicyRecord& row) = 0;
    virtual void erase_policy(const Id& id) = 0;
    virtual void insert(const PolicyVersionRecord& row) = 0;
    virtual void erase_policy_version(const Id& policy_id, std::int64_t version) = 0;
    virtual void attach_policy(const Id& policy_id, const Target& target, WallTime at) = 0;
    virtual void detach_policy(const Id& policy_id, const Target& target) = 0;
    /// All attachments to a target that is about to go.
    virtual void detach_all_policies(const Target& target) = 0;

    virtual void insert(const TokenRecord& row) = 0;
    virtual void update(const TokenRecord& row) = 0;
    virtual void erase_tokens_of_class(const Id& class_id) = 0;
    virtual void erase_tokens_of_project(const Id& project_id) = 0;

    /// Appends; returns the event's number, higher than any before.
    virtual std::uint64_t append_event(WallTime at, std::string_view kind,
                                       std::string_view body) = 0;
    virtual void mark_events_published(std::uint64_t up_to_seq) = 0;
    virtual void erase_events_before(WallTime at) = 0;  ///< published ones only

    virtual void append_audit(const AuditEntry& row) = 0;

    virtual void insert(const IdempotencyRecord& row) = 0;
    virtual void mark_key_handed_out(std::string_view caller, std::string_view key) = 0;
    virtual void erase_idempotency_before(WallTime at) = 0;

    /// Gives some of the room of erased rows back to the file system.
    virtual void give_back_space() = 0;
};

/// What becomes of a transaction whose callback succeeded.
enum class Ending : std::uint8_t { commit, roll_back };

/// The database of the registry. Thread: any; `transact` and `read` block the caller.
class Store {
  public:
    using TxBody = std::function<Result<void>(Tx&)>;
    using ReadBody = std::function<Result<void>(Reader&)>;

    virtual ~Store() = default;
    /// Runs `body` on the writer thread and returns when its outcome is durable; transactions that
    /// wait at the same time share one commit. An error of `body` rolls back this transaction
    /// alone. Errors: that of `body`, or E53xx, and then nothing of it remains.
    [[nodiscard]] virtual Result<void> transact_void(const TxBody& body, Ending ending) = 0;
    /// Runs `body` on the calling thread over a snapshot of what is committed.
    [[nodiscard]] virtual Result<void> read_void(const ReadBody& body) = 0;

    /// transact_void with a value: `body` is `Result<T>(Tx&)`.
    template <typename Body>
    [[nodiscard]] auto transact(Body&& body, Ending ending = Ending::commit) {
        return with_value<Tx>(std::forward<Body>(body), [this, ending](const TxBody& erased) {
            return transact_void(erased, ending);
        });
    }
    /// read_void with a value: `body` is `Result<T>(Reader&)`.
    template <typename Body>
    [[nodiscard]] auto read(Body&& body) {
        return with_value<Reader>(std::forward<Body>(body),
                                  [this](const ReadBody& erased) { return read_void(erased); });
    }

  private:
    template <typename Access, typename Body, typename Run>
    static auto with_value(Body&& body, Run&& run) -> std::invoke_result_t<Body, Access&> {
        using Answer = std::invoke_result_t<Body, Access&>;
        std::optional<Answer> answer;
        auto done = run([&](Access& access) -> Result<void> {
            answer.emplace(body(access));
            if (!*answer) {
                return answer->error();
            }
            return {};
        });
        if (!done) {
            return std::move(done).error();
        }
        return std::move(*answer);
    }
};

}  // namespace iotsky::provisioning
