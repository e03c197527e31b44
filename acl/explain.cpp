#include "acl/explain.hpp"

#include <algorithm>
#include <map>

#include "acl/explain_texts.hpp"
#include "acl/nearest_topic.hpp"
#include "acl/rule.hpp"

namespace iotsky::acl {
namespace {

constexpr std::size_t kPatternsShown = 4;

/// Default rights first, then the policies in their order.
std::pair<int, Source> order_of(Source source) {
    return {source.policy == Source::kDefault ? 0 : 1, source};
}

std::string pattern_of(const Rule& rule, Action action) {
    const bool by_policy = rule.source.policy != Source::kDefault;
    const std::string prefix(by_policy ? resource_prefix(action) : "");
    std::string out;
    for (std::size_t i = 0; i < rule.globs.size(); ++i) {
        if (i == kPatternsShown) {
            return out + ", ...";
        }
        out += (i == 0 ? "" : ", ") + prefix + rule.globs[i].text();
    }
    return rule.not_resource ? "all but " + out : out;
}

/// "publish", "get_thing_shadow" as people say it: "Publish", "GetThingShadow".
std::string short_name(Action action) {
    return std::string(to_string(action).substr(4));
}

std::string failed_condition(const Rule& rule, const RequestContext& request) {
    for (const Test& test : rule.tests) {
        Rule alone;
        alone.tests = {test};
        if (!tests_hold(alone, request)) {
            return "condition " + test.text + " does not hold now";
        }
    }
    return "";
}

/// Why the rule does not apply; empty when it does.
std::string why_not(const Rule& rule, const RequestContext& request) {
    if (!rule.in_scope(request.resource)) {
        return "no match";
    }
    if (rule.never) {
        return "its condition on the address does not hold";
    }
    return failed_condition(rule, request);
}

/// What became of one statement or default right.
class Trial {
  public:
    Trial(const AuthContext& context, const RequestContext& request)
        : rules_(context.rules().compiled()), request_(request) {
        collect(rules_.fixed, rules_.dropped);
        if (context.own() != nullptr) {
            collect(context.own()->table, context.own()->dropped);
        }
    }

    [[nodiscard]] std::vector<TriedRule> tried() const {
        std::vector<TriedRule> all;
        for (const auto& [order, entry] : entries_) {
            all.push_back(entry);
        }
        return all;
    }

    /// The first Deny that applies, else the first Allow that does.
    [[nodiscard]] std::optional<RuleOrigin> decided_by() const {
        for (const char* outcome : {"denies", "allows"}) {
            for (const auto& [order, entry] : entries_) {
                if (entry.outcome == outcome) {
                    return entry.origin;
                }
            }
        }
        return std::nullopt;
    }

  private:
    void collect(const RuleTable& table, const std::vector<Dropped>& dropped) {
        for (const Rule& rule : table.deny) {
            add_rule(rule, true);
        }
        for (const Rule& rule : table.allow) {
            add_rule(rule, false);
        }
        for (const Dropped& one : dropped) {
            const bool about = one.actions.has(request_.action);
            add(one.source, about,
                {origin_of(rules_, one.source), one.deny, one.pattern,
                 about ? one.reason : "not for " + short_name(request_.action)});
        }
    }

    void add_rule(const Rule& rule, bool deny) {
        TriedRule entry{
            origin_of(rules_, rule.source), deny, pattern_of(rule, request_.action), {}};
        const bool about = rule.actions.has(request_.action);
        entry.outcome = about ? why_not(rule, request_) : "not for " + short_name(request_.action);
        if (entry.outcome.empty()) {
            entry.outcome = deny ? "denies" : "allows";
        }
        add(rule.source, about, std::move(entry));
    }

    /// A statement becomes several rules; the one about this action speaks for it.
    void add(Source source, bool about, TriedRule entry) {
        const auto [it, added] = entries_.try_emplace(order_of(source), entry);
        if (!added && about) {
            it->second = std::move(entry);
        }
    }

    const CompiledRules& rules_;
    const RequestContext& request_;
    std::map<std::pair<int, Source>, TriedRule> entries_;
};

std::string place_of(const Glob& glob) {
    if (glob.is_exact() || (!glob.is_tree() && glob.text() != glob.head() + "*")) {
        return glob.text();
    }
    std::string_view head = glob.head();
    if (head.empty()) {
        return "everything";
    }
    const bool whole_levels = glob.is_tree() || head.ends_with('/');
    head.remove_suffix(head.ends_with('/') ? 1 : 0);
    return std::string(head) + (whole_levels ? "/…" : "…");
}

/// Where the action is allowed, for a sentence; service topics are no place to send somebody to.
std::vector<std::string> allowed_places(const AuthContext& context, Action action) {
    std::vector<std::string> places;
    const auto add = [&](const RuleTable& table) {
        for (const Rule& rule : table.allow) {
            for (const Glob& glob : rule.globs) {
                const bool shown = rule.actions.has(action) && !rule.not_resource && !rule.never &&
                                   !glob.head().starts_with("$iotsky/");
                std::string place = shown ? place_of(glob) : "";
                if (shown && std::find(places.begin(), places.end(), place) == places.end()) {
                    places.push_back(std::move(place));
                }
            }
        }
    };
    add(context.rules().compiled().fixed);
    if (context.own() != nullptr) {
        add(context.own()->table);
    }
    return places;
}

bool is_topic_action(Action action) noexcept {
    return resource_prefix(action).starts_with("topic");
}

Explanation explain_canonical(const AuthContext& context, const RequestContext& request) {
    Explanation out;
    out.verdict = context.evaluate(request);
    out.resource = request.resource;
    const bool ended = context.valid_until() && request.now >= *context.valid_until();
    const Trial trial(context, request);
    out.tried = trial.tried();
    if (!ended) {
        out.decided_by = trial.decided_by();
    }
    out.allowed_in = allowed_places(context, request.action);
    if (!out.verdict.allowed && !ended) {
        out.nearest = nearest_allowed(context, request);
        out.nearest_me = is_topic_action(request.action)
                             ? context.rules().alias().contract(out.nearest).value_or("")
                             : "";
    }
    write_texts(context, request, ended, out);
    return out;
}

}  // namespace

Explanation explain(const AuthContext& context, Action action, std::string_view resource,
                    WallTime now) {
    return explain(context, {action, resource, now, {}});
}

Explanation explain(const AuthContext& context, const RequestContext& request) {
    if (!is_topic_action(request.action) || !MeAlias::is_alias(request.resource)) {
        return explain_canonical(context, request);
    }
    const auto names = context.rules().alias().expand_filter(request.resource);
    if (!names) {
        return explain_no_alias(context, request);
    }
    // `$me/#` is two filters, allowed when both are; the refused one is the one to talk about.
    RequestContext canonical = request;
    canonical.resource = names->front();
    for (const std::string& name : *names) {
        RequestContext one = request;
        one.resource = name;
        if (!context.evaluate(one).allowed) {
            canonical.resource = name;
            break;
        }
    }
    return explain_canonical(context, canonical);
}

}  // namespace iotsky::acl
