#pragma once

#include <string_view>
#include <variant>

#include "acl/text_template.hpp"

namespace iotsky::acl {

/// Reads "arn:aws:iot:<region>:<account>:<kind>/<name>", or "*": gives what follows the account.
/// Partition, region and account are not compared with anything; the kind must be one that AWS IoT
/// has ("topic", "topicfilter", "client", "thing" ...), unless a wildcard stands before its "/".
[[nodiscard]] std::variant<Template, TemplateFault> parse_resource_arn(std::string_view text);

}  // namespace iotsky::acl
