#include "acl/rule.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace iotsky::acl {
namespace {

constexpr std::array<std::string_view, 6> kPrefixes{"client/", "topic/",     "topicfilter/",
                                                    "thing/",  "rolealias/", ""};
constexpr std::string_view kFilterPrefix = "topicfilter/";

ActionSet actions_of_kind(ActionSet actions, std::string_view prefix) noexcept {
    ActionSet some;
    for (const Action action : all_actions()) {
        if (actions.has(action) && resource_prefix(action) == prefix) {
            some.add(action);
        }
    }
    return some;
}

/// Whether the value of a variable would turn a name into a wider Topic Filter: a client that calls
/// itself "#" must not read what `topicfilter/${iot:ClientId}` was meant to keep apart.
bool widens_filter(const Template& resource, const Tokens& expanded, const Attributes& attributes) {
    const bool has_sign =
        std::any_of(resource.parts.begin(), resource.parts.end(), [&](const Template::Part& part) {
            const auto* variable = std::get_if<Variable>(&part);
            if (variable == nullptr) {
                return false;
            }
            const auto values = values_of(*variable, attributes);
            return !values.empty() && values.front().find_first_of("+#") != std::string::npos;
        });
    return has_sign && !behind_prefix(expanded, kFilterPrefix).empty();
}

std::string join(const std::vector<Tokens>& patterns) {
    std::string out;
    for (const Tokens& tokens : patterns) {
        out += (out.empty() ? "" : ", ") + Glob(tokens).text();
    }
    return out;
}

/// One statement on its way to rules; each step returns false once it has dropped it.
class StatementCompiler {
  public:
    StatementCompiler(const Statement& statement, Source source, const Attributes& attributes,
                      RuleTable& table, std::vector<Dropped>& dropped)
        : statement_(statement), attributes_(attributes), table_(table), dropped_(dropped) {
        rule_.source = source;
        rule_.not_resource = statement.not_resource;
    }

    /// Why a variable made the statement not match, if one did.
    std::string compile() {
        if (expand_resources() && bind_conditions()) {
            add_rules();
        }
        return lost_;
    }

  private:
    bool drop(std::string reason, ActionSet actions) {
        dropped_.push_back({rule_.source, statement_.effect == Effect::deny, actions,
                            join(patterns_), std::move(reason)});
        return false;
    }

    bool lose(std::string reason) {
        lost_ = reason;
        return drop(std::move(reason), statement_.actions);
    }

    bool expand_resources() {
        for (const Template& resource : statement_.resources) {
            std::string missing;
            auto tokens = expand(resource, attributes_, &missing);
            if (!tokens) {
                return lose("${" + missing + "} has no value");
            }
            if (statement_.effect == Effect::allow &&
                widens_filter(resource, *tokens, attributes_)) {
                return drop("a variable's value contains \"+\" or \"#\" and would widen the filter",
                            statement_.actions);
            }
            rule_.address_in_resource |= resource.uses(Field::source_ip);
            patterns_.push_back(std::move(*tokens));
        }
        return true;
    }

    bool bind_conditions() {
        for (const Condition& condition : statement_.conditions) {
            std::string missing;
            auto test = bind(condition, attributes_, &missing);
            if (!test) {
                return lose(missing.empty()
                                ? "a value of condition " + condition.text + " does not fit"
                                : "${" + missing + "} has no value");
            }
            if (is_per_request(condition.key.field)) {
                note_address(condition);
                rule_.tests.push_back(std::move(*test));
            } else if (!decide(condition, *test)) {
                return false;
            }
        }
        return true;
    }

    /// Decides a condition on the connection now. One that looks at the address stays as a rule
    /// that never applies, so that what depends on it is known not to be cacheable.
    bool decide(const Condition& condition, const Test& test) {
        const auto values = values_of(condition.key, attributes_);
        const std::vector<std::string_view> views(values.begin(), values.end());
        const bool address = note_address(condition);
        if (test.holds(views)) {
            return true;
        }
        if (address) {
            rule_.never = true;
            return true;
        }
        return drop("condition " + condition.text + " does not hold", statement_.actions);
    }

    bool note_address(const Condition& condition) {
        const bool address =
            condition.key.field == Field::source_ip ||
            std::any_of(condition.values.begin(), condition.values.end(),
                        [](const Template& value) { return value.uses(Field::source_ip); });
        rule_.looks_at_address |= address;
        return address;
    }

    void add_rules() {
        for (const std::string_view prefix : kPrefixes) {
            Rule rule = rule_;
            rule.actions = actions_of_kind(statement_.actions, prefix);
            if (rule.actions.empty()) {
                continue;
            }
            for (const Tokens& pattern : patterns_) {
                for (const Tokens& rest : behind_prefix(pattern, prefix)) {
                    rule.globs.emplace_back(rest);
                }
            }
            if (rule.globs.empty() && !rule.not_resource) {
                drop("its resource is no \"" + std::string(prefix) + "...\"", rule.actions);
                continue;
            }
            rule.globs.shrink_to_fit();
            (statement_.effect == Effect::deny ? table_.deny : table_.allow)
                .push_back(std::move(rule));
        }
    }

    const Statement& statement_;
    const Attributes& attributes_;
    RuleTable& table_;
    std::vector<Dropped>& dropped_;
    Rule rule_;  // what all rules of the statement share
    std::vector<Tokens> patterns_;
    std::string lost_;
};

/// Text of a number of `width` digits, zeros in front.
char* put_digits(char* out, unsigned value, int width) noexcept {
    for (int i = width - 1; i >= 0; --i) {
        out[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
    return out + width;
}

using TimeText = std::array<char, 24>;

/// "2026-11-23T09:14:31Z", without allocating. Years 0 to 9999.
std::string_view put_time(WallTime now, TimeText& buffer) noexcept {
    using namespace std::chrono;
    const auto day = floor<days>(now);
    const year_month_day date{day};
    const hh_mm_ss clock{floor<seconds>(now - day)};
    char* out = buffer.data();
    out = put_digits(out, static_cast<unsigned>(int{date.year()}), 4);
    *out++ = '-';
    out = put_digits(out, unsigned{date.month()}, 2);
    *out++ = '-';
    out = put_digits(out, unsigned{date.day()}, 2);
    *out++ = 'T';
    out = put_digits(out, static_cast<unsigned>(clock.hours().count()), 2);
    *out++ = ':';
    out = put_digits(out, static_cast<unsigned>(clock.minutes().count()), 2);
    *out++ = ':';
    out = put_digits(out, static_cast<unsigned>(clock.seconds().count()), 2);
    *out++ = 'Z';
    return {buffer.data(), static_cast<std::size_t>(out - buffer.data())};
}

std::string_view put_epoch(WallTime now, TimeText& buffer) noexcept {
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), to_unix_s(now)).ptr;
    return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

bool test_holds(const Test& test, const RequestContext& request) noexcept {
    if (test.field == Field::connect_attributes) {
        return test.holds(request.connect_attributes);
    }
    TimeText buffer;
    const std::array<std::string_view, 1> value{test.field == Field::current_time
                                                    ? put_time(request.now, buffer)
                                                    : put_epoch(request.now, buffer)};
    return test.holds(value);
}

}  // namespace

std::string_view to_string(DefaultRule rule) noexcept {
    constexpr std::array<std::string_view, 6> kNames{"connect", "own tree", "project",
                                                     "board",   "commons",  "service topics"};
    return kNames[static_cast<std::size_t>(rule)];
}

std::string RuleOrigin::name() const {
    if (policy.empty()) {
        return "default " + default_rule;
    }
    return "policy \"" + policy + "\" statement " + std::to_string(statement) +
           (sid.empty() ? "" : " (" + sid + ")");
}

bool Rule::in_scope(std::string_view resource) const noexcept {
    for (const Glob& glob : globs) {
        if (glob.matches(resource)) {
            return !not_resource;
        }
    }
    return not_resource;
}

const Statement& statement_of(const CompiledRules& rules, Source source) {
    return (*rules.policies[source.policy].policy->statements)[source.statement];
}

RuleOrigin origin_of(const CompiledRules& rules, Source source) {
    if (source.policy == Source::kDefault) {
        const auto rule = static_cast<DefaultRule>(source.statement);
        return {{}, {}, 0, {}, std::string(to_string(rule))};
    }
    const NamedPolicy& policy = rules.policies[source.policy];
    return {policy.name, policy.version, source.statement, statement_of(rules, source).sid, {}};
}

std::string add_statement(const Statement& statement, Source source, const Attributes& attributes,
                          RuleTable& table, std::vector<Dropped>& dropped) {
    return StatementCompiler(statement, source, attributes, table, dropped).compile();
}

bool tests_hold(const Rule& rule, const RequestContext& request) noexcept {
    return std::all_of(rule.tests.begin(), rule.tests.end(),
                       [&](const Test& test) { return test_holds(test, request); });
}

}  // namespace iotsky::acl
