#pragma once

#include <cstddef>
#include <string>

namespace iotsky::acl {

/// Where a rule comes from: a statement of a policy, or a default right.
struct RuleOrigin {
    std::string policy;         ///< Empty for a default right.
    std::string version;        ///< Of the policy.
    std::size_t statement = 0;  ///< Position in its policy, from 0.
    std::string sid;
    std::string default_rule;  ///< "own tree", "project", ...; empty for a policy.

    /// `policy "lab" statement 1 (ReadOnly)` or `default own tree`.
    [[nodiscard]] std::string name() const;
};

}  // namespace iotsky::acl
