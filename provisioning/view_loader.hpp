#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "provisioning/registry_view.hpp"

namespace iotsky::provisioning {

/// Turns rows into CertificateViews; classes and parsed policies are shared between them. Confined
/// to the publisher (RegistryView::publishing_).
class ViewLoader {
  public:
    /// Forgets what may have changed since the last read.
    void begin();
    [[nodiscard]] std::shared_ptr<const CertificateView> view_of(Reader& reader,
                                                                 CertificateFacts&& facts);
    /// All tokens as the rows are now.
    [[nodiscard]] std::shared_ptr<const TokenTable> tokens(Reader& reader);
    /// `entry` without any rights.
    [[nodiscard]] std::shared_ptr<CertificateView> denied(const CertificateView& entry);
    /// `tokens` with those that `affected` may concern without any rights.
    [[nodiscard]] std::shared_ptr<const TokenTable> denied(const TokenTable& tokens,
                                                           const Affected& affected) const;

  private:
    struct CachedPolicy {
        std::int64_t version = 0;
        std::optional<acl::NamedPolicy> policy;  ///< none: it does not parse
    };

    [[nodiscard]] std::shared_ptr<const ClassView> class_view(Reader& reader, const Id& id);
    void add_policy(Reader& reader, const Id& id, CertificateView& view);
    [[nodiscard]] const CachedPolicy* policy(Reader& reader, const Id& id);

    std::uint64_t version_ = 0;
    std::unordered_map<Id, std::shared_ptr<const ClassView>> classes_;
    std::unordered_map<Id, PolicyRecord> records_;
    std::unordered_map<Id, CachedPolicy> parsed_;  ///< kept: a version never changes
};

/// Null when the rules do not compile: deny.
[[nodiscard]] std::shared_ptr<const acl::RuleSet> compile_rules(const CertificateView& view);

/// E2102: the class has ended.
[[nodiscard]] Error class_over(const std::string& class_name, Date ended_on);

}  // namespace iotsky::provisioning
