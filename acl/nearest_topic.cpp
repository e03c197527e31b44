#include "acl/nearest_topic.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "acl/rule.hpp"
#include "base/text.hpp"

namespace iotsky::acl {
namespace {

using Levels = std::vector<std::string_view>;

std::string join(const Levels& levels) {
    std::string out;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        out.append(i == 0 ? "" : "/").append(levels[i]);
    }
    return out;
}

std::size_t common_levels(const Levels& a, const Levels& b) {
    const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return static_cast<std::size_t>(differ.first - a.begin());
}

/// How many levels at the front of `levels` are the last ones of `root`: somebody left the first
/// levels out.
std::size_t overlap(const Levels& root, const Levels& levels) {
    for (std::size_t n = std::min(root.size(), levels.size()); n > 0; --n) {
        if (std::equal(root.end() - static_cast<std::ptrdiff_t>(n), root.end(), levels.begin())) {
            return n;
        }
    }
    return 0;
}

/// How many levels of the refused name the tree stands in for.
std::size_t replaced_levels(const Levels& root, const Levels& levels) {
    if (const std::size_t shared = overlap(root, levels); shared > 0) {
        return shared;
    }
    if (levels.size() > root.size()) {
        return root.size();
    }
    const std::size_t behind_first_difference = common_levels(root, levels) + 1;
    return std::min(behind_first_difference, levels.size() - 1);  // the name itself stays
}

struct Candidate {
    std::string name;
    std::size_t common = 0;  ///< Levels that did not change.
    std::size_t levels = 0;
};

/// The heads of patterns that cover more than one name, and exact names.
std::vector<std::string> places(const AuthContext& context, Action action, bool exact) {
    std::vector<std::string> found;
    const auto add = [&](const RuleTable& table) {
        for (const Rule& rule : table.allow) {
            if (!rule.actions.has(action) || rule.not_resource || rule.never) {
                continue;
            }
            for (const Glob& glob : rule.globs) {
                if (glob.is_exact() == exact && !glob.head().starts_with("$iotsky/")) {
                    found.push_back(glob.head());
                }
            }
        }
    };
    add(context.rules().compiled().fixed);
    if (context.own() != nullptr) {
        add(context.own()->table);
    }
    return found;
}

bool allows(const AuthContext& context, const RequestContext& request, std::string_view name) {
    RequestContext other = request;
    other.resource = name;
    return !name.empty() && context.evaluate(other).allowed;
}

Candidate put_under(std::string_view head, const Levels& levels) {
    if (head.ends_with('/')) {
        head.remove_suffix(1);
    }
    const Levels root = head.empty() ? Levels{} : split(head, '/');
    Levels out = root;
    const std::size_t skip = root.empty() ? 0 : replaced_levels(root, levels);
    out.insert(out.end(), levels.begin() + static_cast<std::ptrdiff_t>(skip), levels.end());
    return {join(out), common_levels(root, levels), out.size()};
}

std::string nearest_topic(const AuthContext& context, const RequestContext& request) {
    const Levels levels = split(request.resource, '/');
    const bool wide = request.resource.ends_with('#');  // then the widest suits best
    std::vector<Candidate> found;
    for (const std::string& head : places(context, request.action, false)) {
        Candidate candidate = put_under(head, levels);
        if (allows(context, request, candidate.name)) {
            found.push_back(std::move(candidate));
        }
    }
    const auto better = [&](const Candidate& a, const Candidate& b) {
        return a.common != b.common ? a.common > b.common : wide && a.levels < b.levels;
    };
    const auto best = std::min_element(found.begin(), found.end(), better);
    return best == found.end() ? "" : best->name;
}

}  // namespace

std::string nearest_allowed(const AuthContext& context, const RequestContext& request) {
    const std::string_view prefix = resource_prefix(request.action);
    const bool topic = prefix == "topic/" || prefix == "topicfilter/";
    const std::string_view bare = request.resource.substr(
        std::min(request.resource.find_first_not_of('/'), request.resource.size()));
    if (topic && bare.size() != request.resource.size()) {
        if (allows(context, request, bare)) {
            return std::string(bare);
        }
        RequestContext other = request;
        other.resource = bare;
        return nearest_topic(context, other);
    }
    std::string near = nearest(request.resource, places(context, request.action, true));
    if (allows(context, request, near)) {
        return near;
    }
    return topic ? nearest_topic(context, request) : "";
}

}  // namespace iotsky::acl
