#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "acl/glob.hpp"
#include "acl/text_template.hpp"
#include "acl/values.hpp"
#include "acl/variable.hpp"

namespace iotsky::acl {

/// How a value of the request is compared with one of the policy.
enum class Comparison : std::uint8_t {
    string_equals,
    string_equals_ignore_case,
    string_like,
    numeric_equals,
    numeric_less,
    numeric_less_equals,
    numeric_greater,
    numeric_greater_equals,
    date_equals,
    date_less,
    date_less_equals,
    date_greater,
    date_greater_equals,
    boolean,
    ip_address,
    arn_like,
    is_null,  ///< Looks at whether there is a value at all.
};

enum class Quantifier : std::uint8_t { none, for_all_values, for_any_value };

/// "ForAnyValue:StringNotLikeIfExists" taken apart.
struct Operator {
    Comparison comparison = Comparison::string_equals;
    bool negated = false;
    bool if_exists = false;
    Quantifier quantifier = Quantifier::none;
};

[[nodiscard]] std::optional<Operator> parse_operator(std::string_view name);
[[nodiscard]] std::string nearest_operator(std::string_view name);

/// One key of one operator of a Condition: the values are alternatives.
struct Condition {
    Operator op;
    Variable key;
    std::vector<Template> values;
    std::string text;  ///< "StringEquals iot:ClientId", for people.
};

/// Reads one value for `op`: wildcards only where the operator has them; a value without variables
/// must fit the operator (a number, a date, true or false, an address range, an ARN).
[[nodiscard]] std::variant<Template, TemplateFault> parse_condition_value(std::string_view text,
                                                                          const Operator& op);

/// A condition with the connection's values in place, ready to be asked.
struct Test {
    using Value =
        std::variant<std::string, Glob, double, std::int64_t, bool, IpRange, std::vector<Glob>>;
    Operator op;
    Field field = Field::client_id;
    std::vector<Value> values;
    std::string text;

    /// Whether the condition holds for the values that its key has; none: the key is missing.
    /// Does not allocate.
    [[nodiscard]] bool holds(std::span<const std::string_view> key_values) const noexcept;
};

/// Nothing when a variable among the values has no value, or one that does not fit the operator;
/// then `missing` (if given) is the variable's name, empty for one that does not fit.
[[nodiscard]] std::optional<Test> bind(const Condition& condition, const Attributes& attributes,
                                       std::string* missing = nullptr);

}  // namespace iotsky::acl
