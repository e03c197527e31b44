#include "acl/condition.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace iotsky::acl {
namespace {

struct OperatorRow {
    std::string_view name;
    Comparison comparison;
    bool negated;
};

using enum Comparison;

constexpr std::array<OperatorRow, 26> kOperators{{
    {"StringEquals", string_equals, false},
    {"StringNotEquals", string_equals, true},
    {"StringEqualsIgnoreCase", string_equals_ignore_case, false},
    {"StringNotEqualsIgnoreCase", string_equals_ignore_case, true},
    {"StringLike", string_like, false},
    {"StringNotLike", string_like, true},
    {"NumericEquals", numeric_equals, false},
    {"NumericNotEquals", numeric_equals, true},
    {"NumericLessThan", numeric_less, false},
    {"NumericLessThanEquals", numeric_less_equals, false},
    {"NumericGreaterThan", numeric_greater, false},
    {"NumericGreaterThanEquals", numeric_greater_equals, false},
    {"DateEquals", date_equals, false},
    {"DateNotEquals", date_equals, true},
    {"DateLessThan", date_less, false},
    {"DateLessThanEquals", date_less_equals, false},
    {"DateGreaterThan", date_greater, false},
    {"DateGreaterThanEquals", date_greater_equals, false},
    {"Bool", boolean, false},
    {"IpAddress", ip_address, false},
    {"NotIpAddress", ip_address, true},
    {"ArnEquals", arn_like, false},  // AWS: the two do the same
    {"ArnLike", arn_like, false},
    {"ArnNotEquals", arn_like, true},
    {"ArnNotLike", arn_like, true},
    {"Null", is_null, false},
}};

constexpr std::string_view kIfExists = "IfExists";
constexpr std::string_view kForAll = "ForAllValues:";
constexpr std::string_view kForAny = "ForAnyValue:";

bool has_wildcards(Comparison comparison) noexcept {
    return comparison == string_like || comparison == arn_like;
}

/// Parts of an ARN that count: partition, service and resource. Region and account do not.
constexpr std::array<std::size_t, 4> kArnParts{0, 1, 2, 5};

/// The six parts of an ARN; the last one may contain ':'.
std::optional<std::vector<Tokens>> split_arn(const Tokens& arn) {
    std::vector<Tokens> parts(1);
    for (const Token token : arn) {
        if (token == ':' && parts.size() < 6) {
            parts.emplace_back();
        } else {
            parts.back().push_back(token);
        }
    }
    return parts.size() == 6 ? std::optional(std::move(parts)) : std::nullopt;
}

std::optional<Test::Value> arn_value(const Tokens& tokens) {
    const auto parts = split_arn(tokens);
    if (!parts) {
        return std::nullopt;
    }
    std::vector<Glob> globs;
    globs.reserve(kArnParts.size());
    for (const std::size_t part : kArnParts) {
        globs.emplace_back((*parts)[part]);
    }
    return globs;
}

/// Part `index` of an ARN, nothing when it has not that many.
std::optional<std::string_view> arn_part(std::string_view arn, std::size_t index) noexcept {
    for (std::size_t i = 0; i < index; ++i) {
        const std::size_t colon = arn.find(':');
        if (colon == arn.npos) {
            return std::nullopt;
        }
        arn.remove_prefix(colon + 1);
    }
    return index == 5 ? arn : arn.substr(0, arn.find(':'));
}

bool arn_matches(const std::vector<Glob>& globs, std::string_view arn) noexcept {
    for (std::size_t i = 0; i < kArnParts.size(); ++i) {
        const auto part = arn_part(arn, kArnParts[i]);
        if (!part || !globs[i].matches(*part)) {
            return false;
        }
    }
    return true;
}

template <typename T>
std::optional<Test::Value> as_value(const std::optional<T>& parsed) {
    return parsed ? std::optional<Test::Value>(*parsed) : std::nullopt;
}

bool is_numeric(Comparison comparison) noexcept {
    return comparison >= numeric_equals && comparison <= numeric_greater_equals;
}

bool is_date(Comparison comparison) noexcept {
    return comparison >= date_equals && comparison <= date_greater_equals;
}

/// The value in the form its operator compares; nothing when it does not fit.
std::optional<Test::Value> text_value(Comparison comparison, const std::string& text) {
    if (is_numeric(comparison)) {
        return as_value(parse_number(text));
    }
    if (is_date(comparison)) {
        return as_value(parse_date_ms(text));
    }
    if (comparison == boolean || comparison == is_null) {
        return as_value(parse_bool(text));
    }
    if (comparison == ip_address) {
        return as_value(parse_ip_range(text));
    }
    return Test::Value(text);
}

std::optional<Test::Value> make_value(Comparison comparison, const Template& text,
                                      const Attributes& attributes, std::string* missing) {
    if (!has_wildcards(comparison)) {
        const auto plain = expand_text(text, attributes, missing);
        return plain ? text_value(comparison, *plain) : std::nullopt;
    }
    const auto tokens = expand(text, attributes, missing);
    if (!tokens) {
        return std::nullopt;
    }
    return comparison == arn_like ? arn_value(*tokens) : std::optional<Test::Value>(Glob(*tokens));
}

template <typename T>
bool compare(Comparison comparison, T left, T right) noexcept {
    switch (comparison) {
        case numeric_less:
        case date_less:
            return left < right;
        case numeric_less_equals:
        case date_less_equals:
            return left <= right;
        case numeric_greater:
        case date_greater:
            return left > right;
        case numeric_greater_equals:
        case date_greater_equals:
            return left >= right;
        default:
            return left == right;
    }
}

/// Whether a value of the request matches one of the policy. A value of another kind (a word for a
/// number) matches nothing.
bool matches(Comparison comparison, const Test::Value& value, std::string_view text) noexcept {
    if (is_numeric(comparison)) {
        const auto number = parse_number(text);
        return number && compare(comparison, *number, *std::get_if<double>(&value));
    }
    if (is_date(comparison)) {
        const auto date = parse_date_ms(text);
        return date && compare(comparison, *date, *std::get_if<std::int64_t>(&value));
    }
    switch (comparison) {
        case string_like:
            return std::get_if<Glob>(&value)->matches(text);
        case string_equals_ignore_case:
            return equal_ignoring_case(*std::get_if<std::string>(&value), text);
        case boolean:
            return parse_bool(text) == *std::get_if<bool>(&value);
        case ip_address: {
            const auto address = parse_address(text);
            return address && std::get_if<IpRange>(&value)->contains(*address);
        }
        case arn_like:
            return arn_matches(*std::get_if<std::vector<Glob>>(&value), text);
        default:
            return *std::get_if<std::string>(&value) == text;
    }
}

std::string_view expected(Comparison comparison) noexcept {
    if (is_numeric(comparison)) {
        return "a number, e.g. \"5\"";
    }
    if (is_date(comparison)) {
        return "a date, e.g. \"2026-11-23T09:00:00Z\"";
    }
    if (comparison == ip_address) {
        return "an address or network, e.g. \"10.0.0.0/8\"";
    }
    return comparison == arn_like ? "an ARN with six parts, e.g. \"arn:aws:iot:*:*:thing/*\""
                                  : "\"true\" or \"false\"";
}

}  // namespace

std::optional<Operator> parse_operator(std::string_view name) {
    Operator op;
    if (name.starts_with(kForAll)) {
        op.quantifier = Quantifier::for_all_values;
        name.remove_prefix(kForAll.size());
    } else if (name.starts_with(kForAny)) {
        op.quantifier = Quantifier::for_any_value;
        name.remove_prefix(kForAny.size());
    }
    if (name.ends_with(kIfExists)) {
        op.if_exists = true;
        name.remove_suffix(kIfExists.size());
    }
    for (const OperatorRow& row : kOperators) {
        if (row.name != name) {
            continue;
        }
        op.comparison = row.comparison;
        op.negated = row.negated;
        const bool plain = !op.if_exists && op.quantifier == Quantifier::none;
        return row.comparison != is_null || plain ? std::optional(op) : std::nullopt;
    }
    return std::nullopt;
}

std::string nearest_operator(std::string_view name) {
    std::string_view prefix;
    for (const std::string_view known : {kForAll, kForAny}) {
        if (name.starts_with(known)) {
            prefix = known;
        }
    }
    std::vector<std::string> known;
    for (const OperatorRow& row : kOperators) {
        known.push_back(std::string(prefix).append(row.name));
        known.push_back(std::string(prefix).append(row.name).append(kIfExists));
    }
    return nearest(name, known);
}

std::variant<Template, TemplateFault> parse_condition_value(std::string_view text,
                                                            const Operator& op) {
    auto parsed = parse_template(
        text, has_wildcards(op.comparison) ? Wildcards::patterns : Wildcards::literal);
    const auto* value = std::get_if<Template>(&parsed);
    if (value != nullptr && !value->has_variable() &&
        !make_value(op.comparison, *value, {}, nullptr)) {
        return TemplateFault{"\"" + escape(text, 80) + "\" does not fit this operator",
                             "Write " + std::string(expected(op.comparison)) + "."};
    }
    return parsed;
}

std::optional<Test> bind(const Condition& condition, const Attributes& attributes,
                         std::string* missing) {
    Test test{condition.op, condition.key.field, {}, condition.text};
    for (const Template& text : condition.values) {
        auto value = make_value(condition.op.comparison, text, attributes, missing);
        if (!value) {
            return std::nullopt;
        }
        test.values.push_back(std::move(*value));
    }
    return test;
}

bool Test::holds(std::span<const std::string_view> key_values) const noexcept {
    if (op.comparison == is_null) {
        return std::any_of(values.begin(), values.end(), [&](const Value& value) {
            return *std::get_if<bool>(&value) == key_values.empty();
        });
    }
    const auto fits = [&](std::string_view key_value) {
        const bool any = std::any_of(values.begin(), values.end(), [&](const Value& value) {
            return matches(op.comparison, value, key_value);
        });
        return any != op.negated;
    };
    if (key_values.empty()) {
        if (op.if_exists || op.quantifier == Quantifier::for_all_values) {
            return true;
        }
        return op.negated && op.quantifier == Quantifier::none;
    }
    // Without a quantifier a negated operator is the opposite of the plain one.
    const bool all = op.quantifier == Quantifier::for_all_values ||
                     (op.quantifier == Quantifier::none && op.negated);
    return all ? std::all_of(key_values.begin(), key_values.end(), fits)
               : std::any_of(key_values.begin(), key_values.end(), fits);
}

}  // namespace iotsky::acl
