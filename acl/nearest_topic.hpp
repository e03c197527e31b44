#pragma once

#include <string>

#include "acl/auth_context.hpp"

namespace iotsky::acl {

/// The name closest to the refused one for which the same action is allowed: its first levels
/// replaced by those of a tree where it is ("7b/heron/door" becomes "7b/otter/weather/door").
/// Empty when none is near. Evaluates each candidate, so the hint is never wrong.
[[nodiscard]] std::string nearest_allowed(const AuthContext& context,
                                          const RequestContext& request);

}  // namespace iotsky::acl
