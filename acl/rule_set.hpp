#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "acl/me_alias.hpp"
#include "acl/policy.hpp"
#include "base/error.hpp"

namespace iotsky::acl {

/// A policy under the name it is stored with; the version is for people ("2").
struct NamedPolicy {
    std::string name;
    std::string version;
    std::shared_ptr<const Policy> policy;  ///< Not null; shared among all who have it.
};

/// The default rights of a thing in a class (docs/policies.md): its own tree, reading in its
/// project, the class's board and commons, writing in commons; any Client Identifier.
struct ClassRights {
    std::string class_name;  ///< 1 to 40 of [A-Za-z0-9_-], as the other two.
    std::string project;
    std::string thing;
    bool strict_isolation = false;  ///< The own tree alone.
};

/// The service topics `$iotsky/things/<thing_id>/...` that a thing reads as `$me/notice` and so on:
/// all of them for a thing in a class; notice, info and time for a classless one.
struct Reserved {
    std::string thing_id;  ///< Of [A-Za-z0-9_-], not empty, e.g. "th_01J8...".
};

/// Limits of what one identity may carry.
struct RuleLimits {
    std::size_t policies_max = 50;
    std::size_t statements_max = 1'000;  ///< Over all policies.
};

struct CompiledRules;  // acl/rule.hpp

/// The rules of one principal, compiled: its policies and its default rights. Holds no attribute of
/// a connection, so all connections of the principal share it. Thread: immutable.
class RuleSet {
  public:
    explicit RuleSet(std::unique_ptr<const CompiledRules> compiled);
    ~RuleSet();
    RuleSet(const RuleSet&) = delete;
    RuleSet& operator=(const RuleSet&) = delete;

    [[nodiscard]] const CompiledRules& compiled() const noexcept { return *compiled_; }
    /// "7b/otter/weather", "service grader", "anonymous clients of listener plain", or empty for a
    /// classless thing, whose name comes with the connection.
    [[nodiscard]] const std::string& identity() const noexcept;
    /// The names behind `$me/`; both roots are empty for identities that are no thing.
    [[nodiscard]] const MeAlias& alias() const noexcept;
    /// Whether any rule looks at a field of the certificate's subject, issuer or alternative names:
    /// otherwise nobody needs to parse it (0.3 ms).
    [[nodiscard]] bool reads_certificate() const noexcept;

  private:
    std::unique_ptr<const CompiledRules> compiled_;
};

/// Compiles the rules of a thing. `rights` are absent for a classless thing, whose rights come from
/// its policies alone; `reserved` is absent only where no thing is attached.
///
/// @return E3112 (limit_exceeded) beyond `limits`; E3113 (invalid_argument) for a name that does
/// not
///         fit. A caller that gets an error denies everything.
/// Thread: any (pure); meant for the `work` thread.
[[nodiscard]] Result<std::shared_ptr<const RuleSet>> compile(
    std::span<const NamedPolicy> policies, const std::optional<ClassRights>& rights,
    const std::optional<Reserved>& reserved = std::nullopt, const RuleLimits& limits = {});

/// Compiles the rules of a service identity: its policy file and nothing else.
[[nodiscard]] Result<std::shared_ptr<const RuleSet>> compile_service(
    std::string_view service_name, std::span<const NamedPolicy> policies,
    const RuleLimits& limits = {});

/// Compiles the rules of a listener's anonymous clients: its policy file and nothing else.
[[nodiscard]] Result<std::shared_ptr<const RuleSet>> compile_anonymous(
    std::string_view listener_name, const NamedPolicy& policy_file, const RuleLimits& limits = {});

}  // namespace iotsky::acl
