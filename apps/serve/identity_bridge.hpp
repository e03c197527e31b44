#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "acl/rule_set.hpp"
#include "api/token_guard.hpp"
#include "base/clock.hpp"
#include "base/siphash.hpp"
#include "base/thread.hpp"
#include "broker/identity.hpp"
#include "certs/fingerprint.hpp"
#include "provisioning/registry_view.hpp"
#include "provisioning/token_uses.hpp"

namespace iotsky::apps {

/// What a listener says about who may come in.
struct ListenerIdentity {
    bool account_client_ids = false;  ///< client_ids = "account"
    std::shared_ptr<const acl::RuleSet>
        anonymous;              ///< rules of clients without a certificate; null: refused
    std::string policy_text{};  ///< what they were made of
    bool tokens = false;        ///< a password is a token of the API
};
using ListenerIdentities = std::map<std::string, ListenerIdentity>;  ///< by name

/// What tokens as passwords share with the API; both outlive the bridge.
struct TokenDoor {
    api::TokenGuard& guard;         ///< whoever tries one token after the other waits at both
    provisioning::TokenUses& uses;  ///< told of each CONNECT by token
};

/// The registry's published view as the broker asks it (decisions 5, 11, 12): who a certificate or
/// a token belongs to, which session scope that is, and why it may not connect. A principal's scope
/// is its thing, else its certificate entry; a token's is its own, anonymous clients have their
/// listener's. Synchronised by the view and by what its door holds; any thread, never waits for the
/// disk.
class IdentityBridge final : public broker::IdentityDirectory, public broker::CertificateDirectory {
  public:
    /// `view` and `clock` outlive the bridge.
    IdentityBridge(const provisioning::RegistryView& view, const Clock& clock, TokenDoor door,
                   ListenerIdentities listeners);

    /// From now on anonymous clients are judged by these. @return the listeners whose policy is
    /// another one now; their scopes' rights have changed.
    std::vector<std::string> set_listeners(ListenerIdentities listeners);
    /// The session scope of a listener's anonymous clients, unless its client_ids are "account".
    [[nodiscard]] static std::string anonymous_scope(const std::string& listener);

    [[nodiscard]] broker::Admission admit(const broker::PeerInfo& peer,
                                          const mqtt::ConnectView& connect) override;
    [[nodiscard]] broker::Admission refresh(const broker::Identity& identity) override;
    [[nodiscard]] broker::Admission recall(std::string_view scope) override;
    [[nodiscard]] Standing standing(std::string_view der) override;

    /// The scope of all sessions of listeners with client_ids = "account".
    static constexpr std::string_view kAccountScope = "account";
    /// Whether any listener has them: then a change of anybody's rights concerns that scope, too.
    [[nodiscard]] bool has_account_scope() const;

  private:
    [[nodiscard]] broker::Admission admit_certificate(const broker::PeerInfo& peer);
    [[nodiscard]] broker::Admission admit_anonymous(const std::string& listener);
    [[nodiscard]] broker::Admission admit_token(const broker::PeerInfo& peer,
                                                std::string_view token);
    [[nodiscard]] broker::Admission wrong_token(const broker::PeerInfo& peer,
                                                std::string_view token);
    [[nodiscard]] broker::Admission judge_token(const provisioning::TokenView& token) const;
    [[nodiscard]] broker::Admission recall_token(std::string_view scope) const;
    /// Whether this password is for us: any where nobody comes in without, else what looks like
    /// one.
    [[nodiscard]] bool is_for_token(const std::string& listener, std::string_view password) const;
    /// `der`: the certificate itself, null when it is not at hand.
    [[nodiscard]] broker::Admission judge(const provisioning::CertificateView& certificate,
                                          bool account, std::shared_ptr<const std::string> der);
    [[nodiscard]] bool has_other_active(const provisioning::CertificateView& revoked) const;
    [[nodiscard]] bool is_account(const std::string& listener) const;
    [[nodiscard]] std::shared_ptr<const ListenerIdentities> listeners() const;

    const provisioning::RegistryView& view_;
    const Clock& clock_;
    const TokenDoor door_;
    mutable Mutex mutex_;
    std::shared_ptr<const ListenerIdentities> listeners_ IOTSKY_GUARDED_BY(mutex_);
    /// Certificates of each scope as they were at the first recall(): sessions come back at start
    /// only.
    std::once_flag indexed_;
    std::unordered_map<std::string, std::vector<certs::Fingerprint>, KeyedHash, std::equal_to<>>
        by_scope_;
};

}  // namespace iotsky::apps
