#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "acl/rule_set.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/thread.hpp"
#include "certs/fingerprint.hpp"
#include "provisioning/records.hpp"
#include "provisioning/store.hpp"
#include "provisioning/token_view.hpp"

namespace iotsky::provisioning {

/// A class as the broker needs it. Immutable.
struct ClassView {
    Id id;
    std::string name;
    std::optional<Date> ends_on;
    ClassSettings settings;
};

/// The one thing behind a certificate. Immutable.
struct ThingView {
    Id id;
    std::string id_text;  ///< "th_01J..."
    std::string path;     ///< "class/project/thing"; the AWS name when classless
    std::string aws_name;
    std::string project;  ///< empty when classless
    std::string name;
    std::optional<std::string> type;
    Attributes attributes;
};

/// Everything that CONNECT asks about one certificate. Immutable (rules are compiled at their first
/// use); any thread.
class CertificateView {
  public:
    Id certificate_id;
    certs::Fingerprint fingerprint;
    std::string serial;
    CertificateStatus status = CertificateStatus::inactive;
    WallTime not_after{};
    /// From then on the identity has no rights: the earlier of not_after and the end of its class.
    WallTime valid_until{};
    /// Scope of its sessions (decisions 5): "th_..." of its one thing, else "en_..." of its
    /// certificate entry, which a renewal inherits.
    std::string scope;
    std::string name;  ///< for people: thing path, "service grader", or "certificate 4f19..."
    std::optional<ThingView> thing;
    std::shared_ptr<const ClassView> class_view;  ///< null outside classes
    std::string service;                          ///< name of a service identity, else empty
    std::vector<Id> policy_ids;
    std::vector<acl::NamedPolicy> policies;
    bool policies_unreadable = false;  ///< a stored policy does not parse: nothing is allowed
    std::uint64_t version = 0;         ///< grows with every publication of the view

    /// The compiled rules; null when they do not compile: deny everything. First use costs some
    /// 10 us, later ones nothing.
    [[nodiscard]] std::shared_ptr<const acl::RuleSet> rules() const;

    /// Why this certificate may not connect at `now`, in words; none when it may. E2102 class over,
    /// E3302 revoked, E3303 suspended, E3304 inactive, E3305 ended.
    [[nodiscard]] std::optional<Error> refusal(WallTime now) const;

  private:
    mutable std::once_flag compiled_;
    mutable std::shared_ptr<const acl::RuleSet> rules_;
};

/// What a refresh did.
struct Refreshed {
    /// Scopes of certificates and tokens that were known before and may have other rights now.
    std::vector<std::string> scopes;
    /// False: the registry could not be read; certificates and tokens that it may concern are
    /// denied until it can.
    bool complete = true;
};

/// The published registry: by fingerprint, in 64 shards with a lock each, so that CONNECTs on all
/// io threads rarely meet. Replaced entry by entry after each commit. Synchronised.
class RegistryView {
  public:
    RegistryView();
    ~RegistryView();
    RegistryView(const RegistryView&) = delete;
    RegistryView& operator=(const RegistryView&) = delete;

    /// Null: unknown. Thread: any; never waits for the disk.
    [[nodiscard]] std::shared_ptr<const CertificateView> find(
        const certs::Fingerprint& fingerprint) const;
    [[nodiscard]] std::size_t size() const;
    /// Every entry, in no order; holds one shard's lock while it copies that shard's pointers.
    void for_each(const std::function<void(const CertificateView&)>& visit) const;

    /// All tokens as they are now; never null. Thread: any; never waits for the disk.
    [[nodiscard]] std::shared_ptr<const TokenTable> tokens() const;

    /// Reads everything. Errors: E53xx, and the view stays as it was. Cost: about 5 us an entry.
    [[nodiscard]] Result<void> load(Store& store);
    /// Reads again what a commit touched. Publishers are serialised and read after their commit, so
    /// the view never goes back to an older state. Thread: `work`.
    Refreshed refresh(Store& store, const Affected& affected);
    /// Whether a refresh was incomplete since the last load.
    [[nodiscard]] bool stale() const noexcept;

  private:
    struct Shard {
        mutable SharedMutex mutex;
        std::unordered_map<certs::Fingerprint, std::shared_ptr<const CertificateView>> entries
            IOTSKY_GUARDED_BY(mutex);
    };
    struct Loader;

    [[nodiscard]] Shard& shard(const certs::Fingerprint& fingerprint) const;
    /// Whether there was one before.
    bool put(std::shared_ptr<const CertificateView> entry);
    void deny(const Affected& affected, Refreshed& refreshed) IOTSKY_REQUIRES(publishing_);
    /// @return scopes of tokens that may have other rights now.
    std::vector<std::string> put(std::shared_ptr<const TokenTable> table);

    std::unique_ptr<std::array<Shard, 64>> shards_;
    /// Before a shard's lock. Held over a read of the database on purpose: publishers, `work`
    /// threads all, come one after the other, so that an older read never overwrites a newer one.
    /// CONNECTs do not take it.
    Mutex publishing_;
    std::unique_ptr<Loader> loader_ IOTSKY_GUARDED_BY(publishing_);
    std::atomic<bool> stale_{false};
    mutable Mutex tokens_mutex_;  ///< a leaf
    std::shared_ptr<const TokenTable> tokens_ IOTSKY_GUARDED_BY(tokens_mutex_);
};

}  // namespace iotsky::provisioning
