#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acl/action.hpp"
#include "acl/auth_context.hpp"
#include "acl/condition.hpp"
#include "acl/glob.hpp"
#include "acl/me_alias.hpp"
#include "acl/rule_origin.hpp"
#include "acl/rule_set.hpp"
#include "acl/statement.hpp"

namespace iotsky::acl {

/// The rights that need no policy.
enum class DefaultRule : std::uint16_t {
    connect,
    own_tree,
    project,
    board,
    commons,
    service_topics
};
[[nodiscard]] std::string_view to_string(DefaultRule rule) noexcept;

/// Where a rule comes from, in four bytes; `origin_of` has it in words.
struct Source {
    static constexpr std::uint16_t kDefault = 0xffff;
    std::uint16_t policy = kDefault;  ///< Index, or kDefault.
    std::uint16_t statement = 0;      ///< Index, or a DefaultRule.
    friend bool operator==(const Source&, const Source&) = default;
    friend bool operator<(const Source& a, const Source& b) noexcept {
        return a.policy != b.policy ? a.policy < b.policy : a.statement < b.statement;
    }
};

/// A statement for resources of one kind, ready to be asked: patterns are of what follows "topic/".
struct Rule {
    Source source;
    ActionSet actions;
    bool not_resource = false;
    bool never = false;             ///< A condition on the address does not hold: only `volatile_`.
    bool looks_at_address = false;  ///< In a condition: what it decides is not cacheable.
    bool address_in_resource = false;  ///< In a pattern: nor is what it does not match.
    std::vector<Glob> globs;
    std::vector<Test> tests;  ///< On keys that come with the request.

    [[nodiscard]] bool in_scope(std::string_view resource) const noexcept;
    /// Whether verdicts about resources in scope may change with time, address or CONNECT.
    [[nodiscard]] bool is_volatile() const noexcept {
        return looks_at_address || address_in_resource || !tests.empty();
    }
};

struct RuleTable {
    std::vector<Rule> deny;
    std::vector<Rule> allow;
};

/// A statement that cannot match, and why; for explain().
struct Dropped {
    Source source;
    bool deny = false;
    ActionSet actions;
    std::string pattern;
    std::string reason;
};

struct OwnRules {
    RuleTable table;
    std::vector<Dropped> dropped;
    std::vector<std::string> warnings;
};

/// What RuleSet holds.
struct CompiledRules {
    std::vector<NamedPolicy> policies;
    RuleTable fixed;                 ///< Of default rights and of statements without variables.
    std::vector<Dropped> dropped;    ///< Of the same statements.
    std::vector<Source> pending;     ///< Statements that need a connection's attributes.
    bool reads_certificate = false;  ///< One of these looks at a name in the certificate.
    std::string identity;
    std::optional<ClassRights> rights;
    MeAlias alias;
};

[[nodiscard]] const Statement& statement_of(const CompiledRules& rules, Source source);
[[nodiscard]] RuleOrigin origin_of(const CompiledRules& rules, Source source);

/// Adds the rules of a statement, its variables replaced, to `table`; statements that can never
/// match go to `dropped` with the reason.
/// @return  the reason when it was a variable without a (fitting) value, else empty.
std::string add_statement(const Statement& statement, Source source, const Attributes& attributes,
                          RuleTable& table, std::vector<Dropped>& dropped);

/// Whether every condition of the request's own keys holds. Does not allocate.
[[nodiscard]] bool tests_hold(const Rule& rule, const RequestContext& request) noexcept;

}  // namespace iotsky::acl
