#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "acl/glob.hpp"
#include "acl/variable.hpp"

namespace iotsky::acl {

/// A text of a policy with its wildcards and variables found. `${*}` (or `$(*)`), `${?}` and `${$}`
/// are the characters themselves.
struct Template {
    using Part = std::variant<std::string, Token, Variable>;  ///< Literal, kAnyRun/kAnyOne, ${...}
    std::vector<Part> parts;

    [[nodiscard]] bool has_variable() const noexcept;
    [[nodiscard]] bool uses(Field field) const noexcept;
};

/// Why a template was refused; in words, without its place.
struct TemplateFault {
    std::string message;
    std::string how;
};

enum class Wildcards : bool { literal, patterns };

/// @param wildcards  Whether "*" and "?" are patterns or plain characters.
[[nodiscard]] std::variant<Template, TemplateFault> parse_template(std::string_view text,
                                                                   Wildcards wildcards);

/// The template with the connection's values in place; nothing when a variable has no value, then
/// `missing` (if given) is its name.
[[nodiscard]] std::optional<Tokens> expand(const Template& text, const Attributes& attributes,
                                           std::string* missing = nullptr);

/// The same for a template without patterns.
[[nodiscard]] std::optional<std::string> expand_text(const Template& text,
                                                     const Attributes& attributes,
                                                     std::string* missing = nullptr);

}  // namespace iotsky::acl
