#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace iotsky::acl {

struct Statement;  // acl/statement.hpp: what only the compiler of rules needs

/// Limits of a policy document.
struct PolicyLimits {
    /// Characters, white space not counted. AWS allows 2,048; at least that.
    std::size_t characters_max = 16'384;
    /// Bytes of the whole text, white space included (the AWS service model's own ceiling).
    std::size_t bytes_max = 404'600;
};

/// A policy document that has been read and understood. Thread: immutable value, cheap to copy but
/// for its text.
struct Policy {
    std::string text;  ///< Byte by byte as it was given.
    std::shared_ptr<const std::vector<Statement>> statements;
};

/// Reads an AWS IoT policy document (aws-iot policies: Version, Statement with Sid, Effect, Action,
/// Resource or NotResource, Condition). Strict: what is not understood is refused, because a
/// statement that is silently ignored could be a Deny.
///
/// @return E3110 with the place in `message` ("line 3, column 14, /Statement/1/Action: ...") and
/// the
///         JSON pointer in `fields[0].pointer`; E3111 when it is longer than `limits`.
/// Thread: any (pure). Cost: linear.
[[nodiscard]] Result<Policy> parse_policy(std::string_view json, const PolicyLimits& limits = {});

}  // namespace iotsky::acl
