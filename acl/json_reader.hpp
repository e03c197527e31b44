#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace iotsky::acl {

/// A JSON value that knows where it stood. Libraries of JSON forget the place, take the last of two
/// members with one name, and so could drop a Deny unseen.
struct JsonNode {
    enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
    Kind kind = Kind::null;
    std::size_t offset = 0;  ///< Byte where the value starts.
    std::string text;        ///< A string without its escapes; a number or boolean as written.
    std::string name;        ///< As a member of an object.
    std::size_t name_offset = 0;
    std::vector<JsonNode> children;  ///< Items or members, in their order.

    [[nodiscard]] const JsonNode* member(std::string_view member_name) const noexcept;
};

struct JsonFault {
    std::size_t offset = 0;
    std::string message;
};

/// Reads one JSON text (RFC 8259): strict, UTF-8, no duplicate names, at most 16 levels deep.
[[nodiscard]] std::variant<JsonNode, JsonFault> read_json(std::string_view text);

/// "line 3, column 14": lines and characters count from 1.
[[nodiscard]] std::string describe_position(std::string_view text, std::size_t offset);

}  // namespace iotsky::acl
