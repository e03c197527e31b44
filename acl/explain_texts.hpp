#pragma once

#include "acl/auth_context.hpp"
#include "acl/explain.hpp"

namespace iotsky::acl {

/// Fills number, what, why and how of an explanation whose facts are known. `ended`: the identity
/// itself is over.
void write_texts(const AuthContext& context, const RequestContext& request, bool ended,
                 Explanation& out);

/// A `$me/...` name that this identity does not have.
[[nodiscard]] Explanation explain_no_alias(const AuthContext& context,
                                           const RequestContext& request);

}  // namespace iotsky::acl
