#pragma once

#include <string>
#include <vector>

#include "acl/action.hpp"
#include "acl/condition.hpp"
#include "acl/text_template.hpp"

namespace iotsky::acl {

enum class Effect : bool { allow, deny };

/// One statement of a policy as it was written, its variables not yet replaced.
struct Statement {
    std::string sid;
    Effect effect = Effect::allow;
    ActionSet actions;
    bool not_resource = false;
    /// What follows the account in each ARN ("topic/a/*"); "*" for a bare "*".
    std::vector<Template> resources;
    std::vector<Condition> conditions;  ///< All must hold.
};

}  // namespace iotsky::acl
