#include "apps/serve/identity_bridge.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "certs/certificate.hpp"
#include "provisioning/names.hpp"
#include "provisioning/token_text.hpp"

namespace iotsky::apps {
namespace {

using broker::Admission;
using provisioning::CertificateStatus;
using provisioning::CertificateView;

constexpr std::string_view kAnonymousScope = "listener:";
constexpr std::string_view kAnonymousName = "anonymous@";

Admission refused(std::string number, std::string why, std::string name, bool revoked = false) {
    Admission admission;
    admission.code = mqtt::ConnectCode::not_authorized;
    admission.number = std::move(number);
    admission.why = std::move(why);
    admission.name = std::move(name);
    admission.revoked = revoked;
    return admission;
}

/// A token that is not in the table may be in the registry all the same.
Admission unreadable() {
    Admission admission = refused(
        "E5304", "the registry is unreadable since a change: this token may be a new one", "");
    admission.code = mqtt::ConnectCode::server_unavailable;
    return admission;
}

bool is_token_scope(std::string_view scope) {
    constexpr std::string_view kPrefix = provisioning::kTokenPrefix;
    return scope.starts_with(kPrefix) && scope.substr(kPrefix.size()).starts_with('_');
}

Admission accepted(std::shared_ptr<broker::Identity> identity) {
    Admission admission;
    admission.code = mqtt::ConnectCode::accepted;
    admission.name = identity->name;
    admission.identity = std::move(identity);
    return admission;
}

certs::Fingerprint fingerprint_of(std::string_view der) {
    return certs::Fingerprint::of({reinterpret_cast<const std::uint8_t*>(der.data()), der.size()});
}

/// What the certificate itself says, under the names of the policy variables. Only where a rule
/// asks: parsing one costs more than all the rest of a CONNECT.
void add_certificate(broker::Identity& identity, std::shared_ptr<const std::string> der) {
    identity.certificate_der = std::move(der);
    if (identity.certificate_der == nullptr || !identity.rules->reads_certificate()) {
        return;
    }
    const auto certificate = certs::Certificate::parse(*identity.certificate_der);
    if (!certificate) {
        return;
    }
    acl::Attributes& attributes = identity.attributes;
    const auto copy = [](const certs::NameFields& from,
                         std::multimap<std::string, std::string>& to) {
        to.insert(from.begin(), from.end());
    };
    copy(certificate->subject(), attributes.subject);
    copy(certificate->issuer(), attributes.issuer);
    copy(certificate->alternative_names(), attributes.subject_alternative_name);
    copy(certificate->issuer_alternative_names(), attributes.issuer_alternative_name);
}

void add_thing(broker::Identity& identity, const provisioning::ThingView& thing) {
    identity.thing_id = thing.id_text;
    acl::Attributes& attributes = identity.attributes;
    attributes.thing_name = thing.aws_name;
    attributes.thing_type = thing.type;
    attributes.thing_attributes = {thing.attributes.begin(), thing.attributes.end()};
    attributes.thing_attached = true;
}

/// The registry keeps each of them in a range that fits.
broker::ThingLimits limits_of(const provisioning::ClassLimits& limits) {
    broker::ThingLimits out;
    out.messages_per_second = static_cast<std::uint32_t>(limits.messages_per_second);
    out.burst = static_cast<std::uint32_t>(limits.burst);
    out.payload_bytes_max = static_cast<std::uint32_t>(limits.payload_bytes_max);
    out.retained_max = static_cast<std::uint32_t>(limits.retained_per_thing_max);
    out.queue_bytes_max = static_cast<std::size_t>(limits.queue_bytes_per_session_max);
    return out;
}

void add_class(broker::Identity& identity, const provisioning::ClassView& in) {
    identity.class_name = in.name;
    identity.disconnect_on_denied_publish =
        in.settings.on_denied_publish == provisioning::OnDeniedPublish::disconnect;
    identity.limits = limits_of(in.settings.limits);
}

std::shared_ptr<broker::Identity> identity_of(const CertificateView& certificate,
                                              std::shared_ptr<const acl::RuleSet> rules) {
    auto identity = std::make_shared<broker::Identity>();
    identity->scope = certificate.scope;
    identity->name = certificate.name;
    identity->certificate_id = certificate.fingerprint.hex();
    identity->alias = rules->alias();
    identity->rules = std::move(rules);
    identity->valid_until = certificate.valid_until;
    identity->rights_version = certificate.version;
    identity->attributes.certificate_id = identity->certificate_id;
    identity->attributes.certificate_serial = certificate.serial;
    identity->attributes.thing_attached = false;
    if (certificate.thing) {
        add_thing(*identity, *certificate.thing);
    }
    if (certificate.class_view) {
        add_class(*identity, *certificate.class_view);
    }
    return identity;
}

std::shared_ptr<broker::Identity> identity_of(const provisioning::TokenView& token) {
    auto identity = std::make_shared<broker::Identity>();
    identity->scope = token.scope;
    identity->name = token.name;
    identity->rules = token.rules();
    identity->alias = identity->rules->alias();
    identity->valid_until = token.valid_until();
    identity->rights_version = token.version;
    identity->attributes.thing_attached = false;
    if (token.class_view) {
        add_class(*identity, *token.class_view);
    }
    return identity;
}

std::shared_ptr<broker::Identity> anonymous_of(const std::string& listener,
                                               const ListenerIdentity& rights) {
    auto identity = std::make_shared<broker::Identity>();
    identity->scope = rights.account_client_ids ? std::string{IdentityBridge::kAccountScope}
                                                : IdentityBridge::anonymous_scope(listener);
    identity->name = std::string{kAnonymousName} + listener;
    identity->alias = rights.anonymous->alias();
    identity->rules = rights.anonymous;
    return identity;
}

}  // namespace

IdentityBridge::IdentityBridge(const provisioning::RegistryView& view, const Clock& clock,
                               TokenDoor door, ListenerIdentities listeners)
    : view_(view),
      clock_(clock),
      door_(door),
      listeners_(std::make_shared<const ListenerIdentities>(std::move(listeners))) {}

std::shared_ptr<const ListenerIdentities> IdentityBridge::listeners() const {
    const LockGuard lock{mutex_};
    return listeners_;
}

std::vector<std::string> IdentityBridge::set_listeners(ListenerIdentities fresh) {
    const auto before = listeners();
    std::vector<std::string> changed;
    for (const auto& [name, identity] : fresh) {
        const auto old = before->find(name);
        if (old == before->end() || old->second.policy_text != identity.policy_text) {
            changed.push_back(name);
        }
    }
    auto shared = std::make_shared<const ListenerIdentities>(std::move(fresh));
    const LockGuard lock{mutex_};
    listeners_.swap(shared);
    return changed;
}

std::string IdentityBridge::anonymous_scope(const std::string& listener) {
    return std::string{kAnonymousScope} + listener;
}

bool IdentityBridge::has_account_scope() const {
    const auto all = listeners();
    return std::any_of(all->begin(), all->end(),
                       [](const auto& entry) { return entry.second.account_client_ids; });
}

bool IdentityBridge::is_account(const std::string& listener) const {
    const auto all = listeners();
    const auto at = all->find(listener);
    return at != all->end() && at->second.account_client_ids;
}

Admission IdentityBridge::admit(const broker::PeerInfo& peer, const mqtt::ConnectView& connect) {
    if (peer.certificate_der != nullptr) {
        return admit_certificate(peer);
    }
    if (connect.password && is_for_token(peer.listener, as_text(*connect.password))) {
        return admit_token(peer, as_text(*connect.password));
    }
    return admit_anonymous(peer.listener);
}

bool IdentityBridge::is_for_token(const std::string& listener, std::string_view password) const {
    const auto all = listeners();
    const auto at = all->find(listener);
    return at != all->end() && at->second.tokens &&
           (at->second.anonymous == nullptr || provisioning::is_token(password));
}

Admission IdentityBridge::admit_token(const broker::PeerInfo& peer, std::string_view token) {
    if (const auto wait = door_.guard.wait_of(peer.address, token); wait.count() > 0) {
        return refused("E3310",
                       "too many wrong tokens came from this address; it waits " +
                           std::to_string(wait.count()) + " s",
                       "");
    }
    const auto tokens = view_.tokens();
    const auto found = tokens->find(token);
    if (found == nullptr) {
        return tokens->incomplete() ? unreadable() : wrong_token(peer, token);
    }
    Admission admission = judge_token(*found);
    if (admission.identity != nullptr) {
        door_.guard.note_right(token);
        door_.uses.note(found->id, clock_.wall_now());
    } else if (!found->unreadable) {
        door_.guard.note_wrong(peer.address, token);
    }
    return admission;
}

Admission IdentityBridge::wrong_token(const broker::PeerInfo& peer, std::string_view token) {
    door_.guard.note_wrong(peer.address, token);
    Admission wrong =
        refused("E3309", "the password is no token of this broker: it is unknown or mistyped", "");
    wrong.code = mqtt::ConnectCode::bad_user_name_or_password;
    return wrong;
}

Admission IdentityBridge::judge_token(const provisioning::TokenView& token) const {
    if (const auto error = token.refusal(clock_.wall_now())) {
        Admission admission =
            refused(error->number, error->message + " " + error->why, token.name, token.revoked);
        if (token.unreadable) {
            admission.code = mqtt::ConnectCode::server_unavailable;
        }
        return admission;
    }
    return accepted(identity_of(token));
}

/// The principal of a session or connection by token, as the registry knows it now.
Admission IdentityBridge::recall_token(std::string_view scope) const {
    const auto tokens = view_.tokens();
    if (const auto found = tokens->by_scope(scope)) {
        return judge_token(*found);
    }
    return tokens->incomplete() ? unreadable()
                                : refused("E3309", "this token is not in the registry any more",
                                          std::string{scope}, true);
}

Admission IdentityBridge::admit_anonymous(const std::string& listener) {
    const auto all = listeners();
    const auto rights = all->find(listener);
    if (rights == all->end() || rights->second.anonymous == nullptr) {
        return refused(
            "E3203",
            rights != all->end() && rights->second.tokens
                ? "no certificate and no token was shown, and the listener has no policy for "
                  "anonymous clients"
                : "no certificate was shown, and the listener has no policy for anonymous clients",
            "");
    }
    return accepted(anonymous_of(listener, rights->second));
}

Admission IdentityBridge::admit_certificate(const broker::PeerInfo& peer) {
    const auto found = view_.find(fingerprint_of(*peer.certificate_der));
    if (found == nullptr) {
        const auto certificate = certs::Certificate::parse(*peer.certificate_der);
        return refused("E3308", "this certificate is not in the registry",
                       certificate ? certificate->common_name() : std::string{});
    }
    return judge(*found, is_account(peer.listener), peer.certificate_der);
}

Admission IdentityBridge::judge(const CertificateView& certificate, bool account,
                                std::shared_ptr<const std::string> der) {
    if (const auto error = certificate.refusal(clock_.wall_now())) {
        return refused(error->number, error->message + " " + error->why, certificate.name,
                       certificate.status == CertificateStatus::revoked);
    }
    auto rules = certificate.rules();
    if (rules == nullptr) {
        return refused("E3307",
                       "a policy of this identity cannot be read: in doubt nothing is allowed",
                       certificate.name);
    }
    auto identity = identity_of(certificate, std::move(rules));
    if (account) {
        identity->scope = kAccountScope;
    }
    add_certificate(*identity, std::move(der));
    return accepted(std::move(identity));
}

/// A renewed certificate has the scope of the old one: revoking the old one must not seal the
/// session that the new one goes on with. Cost: one look at every entry, only when something was
/// revoked.
bool IdentityBridge::has_other_active(const CertificateView& revoked) const {
    bool found = false;
    view_.for_each([&](const CertificateView& other) {
        found =
            found || (other.scope == revoked.scope && other.status == CertificateStatus::active);
    });
    return found;
}

Admission IdentityBridge::refresh(const broker::Identity& identity) {
    if (is_token_scope(identity.scope)) {
        return recall_token(identity.scope);
    }
    if (identity.certificate_id.empty()) {
        return admit_anonymous(identity.name.substr(kAnonymousName.size()));
    }
    const auto fingerprint = certs::Fingerprint::parse(identity.certificate_id);
    const auto found = fingerprint ? view_.find(*fingerprint) : nullptr;
    if (found == nullptr) {
        return refused("E3308", "this certificate is not in the registry any more", identity.name);
    }
    Admission admission = judge(*found, identity.scope == kAccountScope, identity.certificate_der);
    if (admission.revoked && has_other_active(*found)) {
        admission.revoked = false;
    }
    return admission;
}

Admission IdentityBridge::recall(std::string_view scope) {
    if (scope.starts_with(kAnonymousScope)) {
        return admit_anonymous(std::string{scope.substr(kAnonymousScope.size())});
    }
    if (is_token_scope(scope)) {
        return recall_token(scope);
    }
    std::call_once(indexed_, [this] {
        view_.for_each([this](const CertificateView& certificate) {
            by_scope_[certificate.scope].push_back(certificate.fingerprint);
        });
    });
    const auto at = by_scope_.find(scope);
    if (at == by_scope_.end()) {
        return refused("E3308", "no certificate of this session is in the registry any more",
                       std::string{scope}, true);
    }
    Admission last;
    bool revoked = true;
    for (const certs::Fingerprint& fingerprint : at->second) {
        const auto certificate = view_.find(fingerprint);
        last = judge(*certificate, false, nullptr);
        if (last.identity != nullptr) {
            return last;
        }
        revoked = revoked && last.revoked;
    }
    last.revoked = revoked;
    return last;
}

broker::CertificateDirectory::Standing IdentityBridge::standing(std::string_view der) {
    const auto found = view_.find(fingerprint_of(der));
    if (found == nullptr) {
        return Standing::unknown;
    }
    return found->refusal(clock_.wall_now()) ? Standing::known_inactive : Standing::active;
}

}  // namespace iotsky::apps
