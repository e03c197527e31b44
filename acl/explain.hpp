#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acl/auth_context.hpp"
#include "acl/rule_origin.hpp"

namespace iotsky::acl {

/// One rule that was looked at.
struct TriedRule {
    RuleOrigin origin;
    bool deny = false;
    std::string pattern;  ///< What it covers: "7b/otter/weather/#", "topic/lab/*".
    std::string outcome;  ///< "allows", "denies", or why it did not match: "not for publish".
};

/// A verdict and the reasons for it, in words for the person whose device was refused.
struct Explanation {
    Verdict verdict;
    std::string number;                    ///< "E3101" and so on; empty when allowed.
    std::string resource;                  ///< The canonical name that was evaluated.
    std::optional<RuleOrigin> decided_by;  ///< Absent when nothing matched: refused by default.
    std::vector<TriedRule> tried;
    /// The nearest name that would be allowed, canonical and as `$me/...`; empty if none is near.
    std::string nearest;
    std::string nearest_me;
    std::vector<std::string> allowed_in;  ///< Where the action is allowed: "7b/otter/weather/...".
    std::string what;                     ///< `Publish to "7b/heron/door" refused.`
    std::string why;  ///< `You are 7b/otter/weather and may publish in 7b/otter/weather/…`
    std::string how;  ///< What to do about it.
};

/// Evaluates as `context.evaluate` does and tells why. `resource` may be a `$me/...` name.
/// Thread: any (pure). Cost: allocates; not for the way of every message, but for refusals.
[[nodiscard]] Explanation explain(const AuthContext& context, Action action,
                                  std::string_view resource, WallTime now);
[[nodiscard]] Explanation explain(const AuthContext& context, const RequestContext& request);

}  // namespace iotsky::acl
