#pragma once

#include <string_view>
#include <vector>

#include "acl/glob.hpp"

namespace iotsky::acl {

/// The Topic Names that a Topic Filter can match, as one or two token lists: "a/+" is [a / level],
/// "a/#" is [a] and [a / rest]. Pure.
[[nodiscard]] std::vector<Tokens> shapes_of(std::string_view topic_filter);

/// Whether every text of the shape matches the pattern. Sound: true only when it is so; some true
/// cases (unions, "?" against wildcards) are not seen.
[[nodiscard]] bool covers(const Glob& pattern, const Tokens& shape);

/// Whether some text of the shape may match the pattern. Sound: false only when none does.
[[nodiscard]] bool may_overlap(const Glob& pattern, const Tokens& shape);

}  // namespace iotsky::acl
