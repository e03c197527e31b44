#pragma once

#include <memory>
#include <string_view>

#include "acl/rule_set.hpp"
#include "base/error.hpp"

namespace iotsky::acl {

/// Compiles the rules of a person: one policy and nothing else. `user` is for people ("token
/// laptop"). Thread: any (pure).
[[nodiscard]] Result<std::shared_ptr<const RuleSet>> compile_user(std::string_view user,
                                                                  const NamedPolicy& rights);

}  // namespace iotsky::acl
