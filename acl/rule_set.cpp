#include "acl/rule_set.hpp"

#include <algorithm>
#include <array>

#include "acl/rule.hpp"
#include "acl/user_rules.hpp"
#include "base/assert.hpp"
#include "base/text.hpp"

namespace iotsky::acl {
namespace {

constexpr std::string_view kBoard = "board";
constexpr std::string_view kCommons = "commons";
constexpr std::array kCertificateNames{
    Field::subject, Field::issuer, Field::subject_alternative_name, Field::issuer_alternative_name};

Error bad_name(std::string_view what, std::string_view name) {
    return make_error(Errc::invalid_argument, "E3113",
                      std::string(what) + " \"" + escape(name, 80) + "\" cannot carry rights",
                      "Names become part of topics and must not contain \"/\", \"+\" or \"#\".",
                      "Use 1 to 40 of A-Z, a-z, 0-9, _ and -; not board or commons for a project.");
}

Result<void> check_names(const ClassRights& rights) {
    for (const auto& [what, name] :
         {std::pair{"class", &rights.class_name}, std::pair{"project", &rights.project},
          std::pair{"thing", &rights.thing}}) {
        if (!is_valid_name(*name)) {
            return bad_name(what, *name);
        }
    }
    if (rights.project == kBoard || rights.project == kCommons) {
        return bad_name("project", rights.project);
    }
    return {};
}

Result<void> check_reserved(const Reserved& reserved) {
    constexpr std::string_view kAllowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    if (reserved.thing_id.empty() ||
        reserved.thing_id.find_first_not_of(kAllowed) != std::string::npos) {
        return bad_name("thing id", reserved.thing_id);
    }
    return {};
}

Error too_many(std::string_view what, std::size_t found, std::size_t allowed) {
    return make_error(Errc::limit_exceeded, "E3112",
                      std::to_string(found) + " " + std::string(what) + " on one identity; " +
                          std::to_string(allowed) + " are allowed",
                      "Every one of them is looked at for each request.",
                      "Join policies, or use wildcards and variables.");
}

Result<void> check_limits(std::span<const NamedPolicy> policies, const RuleLimits& limits) {
    // A Source counts in 16 bits, whatever the options say.
    const std::size_t policies_max = std::min<std::size_t>(limits.policies_max, 0xfffe);
    const std::size_t statements_max = std::min<std::size_t>(limits.statements_max, 0xfffe);
    if (policies.size() > policies_max) {
        return too_many("policies", policies.size(), policies_max);
    }
    std::size_t statements = 0;
    for (const NamedPolicy& named : policies) {
        IOTSKY_ASSERT(named.policy != nullptr && named.policy->statements != nullptr);
        statements += named.policy->statements->size();
    }
    if (statements > statements_max) {
        return too_many("statements", statements, statements_max);
    }
    return {};
}

bool needs_connection(const Statement& statement) {
    return !statement.conditions.empty() ||
           std::any_of(statement.resources.begin(), statement.resources.end(),
                       [](const Template& resource) { return resource.has_variable(); });
}

bool reads_certificate(const Template& text) {
    return std::any_of(kCertificateNames.begin(), kCertificateNames.end(),
                       [&](Field field) { return text.uses(field); });
}

bool reads_certificate(const Condition& condition) {
    return std::find(kCertificateNames.begin(), kCertificateNames.end(), condition.key.field) !=
               kCertificateNames.end() ||
           std::any_of(condition.values.begin(), condition.values.end(),
                       [](const Template& value) { return reads_certificate(value); });
}

bool reads_certificate(const Statement& statement) {
    return std::any_of(statement.resources.begin(), statement.resources.end(),
                       [](const Template& resource) { return reads_certificate(resource); }) ||
           std::any_of(statement.conditions.begin(), statement.conditions.end(),
                       [](const Condition& condition) { return reads_certificate(condition); });
}

void add_policies(std::span<const NamedPolicy> policies, CompiledRules& out) {
    out.policies.assign(policies.begin(), policies.end());
    for (std::size_t p = 0; p < policies.size(); ++p) {
        const auto& statements = *policies[p].policy->statements;
        for (std::size_t s = 0; s < statements.size(); ++s) {
            const Source source{static_cast<std::uint16_t>(p), static_cast<std::uint16_t>(s)};
            if (needs_connection(statements[s])) {
                out.pending.push_back(source);
                out.reads_certificate = out.reads_certificate || reads_certificate(statements[s]);
            } else {
                add_statement(statements[s], source, {}, out.fixed, out.dropped);
            }
        }
    }
}

ActionSet set_of(std::initializer_list<Action> actions) {
    ActionSet set;
    for (const Action action : actions) {
        set.add(action);
    }
    return set;
}

void allow(CompiledRules& out, DefaultRule rule, ActionSet actions, std::vector<Glob> globs) {
    Rule& added = out.fixed.allow.emplace_back();
    added.source = {Source::kDefault, static_cast<std::uint16_t>(rule)};
    added.actions = actions;
    added.globs = std::move(globs);
}

void add_class_rights(const ClassRights& rights, CompiledRules& out) {
    const ActionSet read = set_of({Action::subscribe, Action::receive});
    ActionSet write = set_of({Action::publish, Action::retain_publish});
    write.add(read);
    const std::string project = rights.class_name + "/" + rights.project;
    out.alias.root = project + "/" + rights.thing;
    out.identity = out.alias.root;
    allow(out, DefaultRule::connect, set_of({Action::connect}), {Glob(Tokens{kAnyRun})});
    allow(out, DefaultRule::own_tree, write, {Glob::tree(out.alias.root)});
    if (!rights.strict_isolation) {
        const std::string root = rights.class_name + "/";
        allow(out, DefaultRule::project, read, {Glob::tree(project)});
        allow(out, DefaultRule::board, read, {Glob::tree(root + std::string(kBoard))});
        allow(out, DefaultRule::commons, write, {Glob::tree(root + std::string(kCommons))});
    }
}

Glob exact(const std::string& text) {
    Tokens tokens;
    append_literal(tokens, text);
    return Glob(tokens);
}

/// A thing in a class reads all of its service topics and asks for certificates on one; a classless
/// one reads three. "+" and "#" let both subscribe to `$me/+` and `$me/#`.
void add_service_topics(const std::string& root, bool classless, CompiledRules& out) {
    if (!classless) {
        allow(out, DefaultRule::service_topics, set_of({Action::subscribe, Action::receive}),
              {Glob::tree(root)});
        allow(out, DefaultRule::service_topics, set_of({Action::publish}),
              {exact(root + "/cert/renew")});
        return;
    }
    std::vector<Glob> topics;
    std::vector<Glob> filters;
    for (const char* name : {"notice", "info", "time"}) {
        topics.push_back(exact(root + "/" + name));
    }
    filters = topics;
    filters.push_back(exact(root + "/#"));
    filters.push_back(exact(root + "/+"));
    allow(out, DefaultRule::service_topics, set_of({Action::receive}), std::move(topics));
    allow(out, DefaultRule::service_topics, set_of({Action::subscribe}), std::move(filters));
}

std::shared_ptr<const RuleSet> finish(std::unique_ptr<CompiledRules> compiled) {
    compiled->fixed.allow.shrink_to_fit();
    compiled->fixed.deny.shrink_to_fit();
    return std::make_shared<const RuleSet>(std::move(compiled));
}

Result<std::shared_ptr<const RuleSet>> compile_named(std::string identity,
                                                     std::span<const NamedPolicy> policies,
                                                     const RuleLimits& limits) {
    IOTSKY_CHECK(check_limits(policies, limits));
    auto compiled = std::make_unique<CompiledRules>();
    compiled->identity = std::move(identity);
    add_policies(policies, *compiled);
    return finish(std::move(compiled));
}

}  // namespace

RuleSet::RuleSet(std::unique_ptr<const CompiledRules> compiled) : compiled_(std::move(compiled)) {}
RuleSet::~RuleSet() = default;

const std::string& RuleSet::identity() const noexcept {
    return compiled_->identity;
}
const MeAlias& RuleSet::alias() const noexcept {
    return compiled_->alias;
}
bool RuleSet::reads_certificate() const noexcept {
    return compiled_->reads_certificate;
}

Result<std::shared_ptr<const RuleSet>> compile(std::span<const NamedPolicy> policies,
                                               const std::optional<ClassRights>& rights,
                                               const std::optional<Reserved>& reserved,
                                               const RuleLimits& limits) {
    IOTSKY_CHECK(check_limits(policies, limits));
    auto compiled = std::make_unique<CompiledRules>();
    if (rights) {
        IOTSKY_CHECK(check_names(*rights));
        compiled->rights = rights;
        add_class_rights(*rights, *compiled);
    }
    if (reserved) {
        IOTSKY_CHECK(check_reserved(*reserved));
        compiled->alias.reserved_root = "$iotsky/things/" + reserved->thing_id;
        add_service_topics(compiled->alias.reserved_root, !rights, *compiled);
    }
    add_policies(policies, *compiled);
    return finish(std::move(compiled));
}

Result<std::shared_ptr<const RuleSet>> compile_service(std::string_view service_name,
                                                       std::span<const NamedPolicy> policies,
                                                       const RuleLimits& limits) {
    return compile_named("service " + std::string(service_name), policies, limits);
}

Result<std::shared_ptr<const RuleSet>> compile_anonymous(std::string_view listener_name,
                                                         const NamedPolicy& policy_file,
                                                         const RuleLimits& limits) {
    return compile_named("anonymous clients of listener " + std::string(listener_name),
                         {&policy_file, 1}, limits);
}

Result<std::shared_ptr<const RuleSet>> compile_user(std::string_view user,
                                                    const NamedPolicy& rights) {
    return compile_named(std::string(user), {&rights, 1}, {});
}

}  // namespace iotsky::acl
