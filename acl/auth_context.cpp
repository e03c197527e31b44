#include "acl/auth_context.hpp"

#include <algorithm>

#include "acl/filter_shape.hpp"
#include "acl/rule.hpp"

namespace iotsky::acl {
namespace {

/// Asks the rules one after the other and remembers whether the time or the address had a say.
class Question {
  public:
    explicit Question(const RequestContext& request) noexcept : request_(request) {}

    /// Whether one of the rules applies to the request.
    [[nodiscard]] bool any(const std::vector<Rule>& rules) noexcept {
        return std::any_of(rules.begin(), rules.end(), [&](const Rule& r) { return applies(r); });
    }

    [[nodiscard]] Verdict answer(bool allowed) const noexcept { return {allowed, cacheable_}; }

  private:
    bool applies(const Rule& rule) noexcept {
        if (!rule.actions.has(request_.action)) {
            return false;
        }
        const bool in_scope = rule.in_scope(request_.resource);
        if (rule.address_in_resource || (in_scope && rule.is_volatile())) {
            cacheable_ = false;
        }
        return in_scope && !rule.never && tests_hold(rule, request_);
    }

    const RequestContext& request_;
    bool cacheable_ = true;
};

bool covers_scope(const Rule& rule, const Shape& shape) {
    return rule.not_resource
               ? std::none_of(rule.globs.begin(), rule.globs.end(),
                              [&](const Glob& glob) { return may_overlap(glob, shape); })
               : std::any_of(rule.globs.begin(), rule.globs.end(),
                             [&](const Glob& glob) { return covers(glob, shape); });
}

bool may_reach_scope(const Rule& rule, const Shape& shape) {
    return rule.not_resource
               ? std::none_of(rule.globs.begin(), rule.globs.end(),
                              [&](const Glob& glob) { return covers(glob, shape); })
               : std::any_of(rule.globs.begin(), rule.globs.end(),
                             [&](const Glob& glob) { return may_overlap(glob, shape); });
}

/// What is proven about receiving the topics of one shape.
class ReceiveProof {
  public:
    explicit ReceiveProof(const Shape& shape) : shape_(shape) {}

    void look_at(const RuleTable& table) {
        for (const Rule& rule : table.deny) {
            if (rule.actions.has(Action::receive) && !rule.never) {
                may_be_denied_ |= may_reach_scope(rule, shape_);
                all_denied_ |= !rule.is_volatile() && covers_scope(rule, shape_);
            }
        }
        for (const Rule& rule : table.allow) {
            if (rule.actions.has(Action::receive) && !rule.never) {
                may_be_allowed_ |= may_reach_scope(rule, shape_);
                all_allowed_ |= !rule.is_volatile() && covers_scope(rule, shape_);
            }
        }
    }

    [[nodiscard]] ReceiveClass result() const noexcept {
        if (!may_be_allowed_ || all_denied_) {
            return ReceiveClass::none;
        }
        return all_allowed_ && !may_be_denied_ ? ReceiveClass::all : ReceiveClass::check;
    }

  private:
    const Shape& shape_;
    bool may_be_denied_ = false;
    bool all_denied_ = false;
    bool may_be_allowed_ = false;
    bool all_allowed_ = false;
};

std::string who(const RuleSet& rules, const Attributes& attributes) {
    if (!rules.identity().empty()) {
        return rules.identity();
    }
    if (attributes.thing_name) {
        return *attributes.thing_name;
    }
    if (attributes.certificate_id) {
        return "certificate " + attributes.certificate_id->substr(0, 12);
    }
    return attributes.client_id ? "client " + *attributes.client_id : "this client";
}

std::unique_ptr<const OwnRules> make_own(const CompiledRules& rules, const Attributes& attributes) {
    if (rules.pending.empty()) {
        return nullptr;
    }
    auto own = std::make_unique<OwnRules>();
    for (const Source source : rules.pending) {
        const Statement& statement = statement_of(rules, source);
        const std::string lost =
            add_statement(statement, source, attributes, own->table, own->dropped);
        if (!lost.empty() && statement.effect == Effect::deny) {
            own->warnings.push_back(origin_of(rules, source).name() +
                                    " forbids nothing here: " + lost);
        }
    }
    return own;
}

}  // namespace

std::shared_ptr<const AuthContext> AuthContext::make(std::shared_ptr<const RuleSet> rules,
                                                     const Attributes& attributes,
                                                     std::optional<WallTime> valid_until) {
    auto own = make_own(rules->compiled(), attributes);
    std::string identity = who(*rules, attributes);
    return std::make_shared<const AuthContext>(std::move(rules), std::move(own),
                                               std::move(identity), valid_until);
}

AuthContext::AuthContext(std::shared_ptr<const RuleSet> rules, std::unique_ptr<const OwnRules> own,
                         std::string identity, std::optional<WallTime> valid_until)
    : rules_(std::move(rules)),
      own_(std::move(own)),
      identity_(std::move(identity)),
      valid_until_(valid_until) {}

AuthContext::~AuthContext() = default;

Verdict AuthContext::evaluate(Action action, std::string_view resource,
                              WallTime now) const noexcept {
    return evaluate({action, resource, now, {}});
}

Verdict AuthContext::evaluate(const RequestContext& request) const noexcept {
    if (valid_until_ && request.now >= *valid_until_) {
        return {false, false};
    }
    const RuleTable& fixed = rules_->compiled().fixed;
    Question question(request);
    if (question.any(fixed.deny) || (own_ && question.any(own_->table.deny))) {
        return question.answer(false);
    }
    return question.answer(question.any(fixed.allow) || (own_ && question.any(own_->table.allow)));
}

ReceiveClass AuthContext::receive_class(std::string_view topic_filter) const {
    std::optional<ReceiveClass> all_shapes;
    for (const Shape& shape : shapes_of(topic_filter)) {
        ReceiveProof proof(shape);
        proof.look_at(rules_->compiled().fixed);
        if (own_) {
            proof.look_at(own_->table);
        }
        if (all_shapes && *all_shapes != proof.result()) {
            return ReceiveClass::check;
        }
        all_shapes = proof.result();
    }
    return all_shapes.value_or(ReceiveClass::check);
}

const std::vector<std::string>& AuthContext::warnings() const noexcept {
    static const std::vector<std::string> none;
    return own_ ? own_->warnings : none;
}

}  // namespace iotsky::acl
