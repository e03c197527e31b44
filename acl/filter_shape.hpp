#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "acl/glob.hpp"

namespace iotsky::acl {

/// Topic Names that a Topic Filter can match.
struct Shape {
    Tokens tokens;
    std::string head;      ///< The bytes in front of the first wildcard.
    bool literal = false;  ///< No wildcard: the head is the only name.
};

/// All Topic Names that a (valid) Topic Filter can match, as one or two shapes: "a/+" is [a /
/// level], "a/#" is [a] and [a / rest]. Pure.
[[nodiscard]] std::vector<Shape> shapes_of(std::string_view topic_filter);

/// Whether every text of the shape matches the pattern. Sound: true only when it is so; some true
/// cases (unions, "?" against wildcards) are not seen.
[[nodiscard]] bool covers(const Glob& pattern, const Shape& shape);

/// Whether some text of the shape may match the pattern. Sound: false only when none does.
[[nodiscard]] bool may_overlap(const Glob& pattern, const Shape& shape);

}  // namespace iotsky::acl
