#include "acl/text_template.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace iotsky::acl {
namespace {

class TemplateParser {
  public:
    TemplateParser(std::string_view text, Wildcards wildcards)
        : text_(text), patterns_(wildcards == Wildcards::patterns) {}

    std::variant<Template, TemplateFault> parse() {
        while (at_ < text_.size()) {
            const std::string_view rest = text_.substr(at_);
            if (is_escape(rest)) {
                literal(rest[2]);
                at_ += 4;
            } else if (rest.starts_with("${")) {
                if (!variable(rest)) {
                    return fault_;
                }
            } else {
                character(rest[0]);
                ++at_;
            }
        }
        return std::move(template_);
    }

  private:
    static bool is_escape(std::string_view rest) noexcept {
        return rest.size() >= 4 && rest[0] == '$' &&
               ((rest[1] == '{' && rest[3] == '}') || (rest[1] == '(' && rest[3] == ')')) &&
               (rest[2] == '*' || rest[2] == '?' || rest[2] == '$');
    }

    void literal(char c) {
        if (template_.parts.empty() ||
            !std::holds_alternative<std::string>(template_.parts.back())) {
            template_.parts.emplace_back(std::string());
        }
        std::get<std::string>(template_.parts.back()).push_back(c);
    }

    void character(char c) {
        if (patterns_ && (c == '*' || c == '?')) {
            template_.parts.emplace_back(c == '*' ? kAnyRun : kAnyOne);
        } else {
            literal(c);
        }
    }

    bool variable(std::string_view rest) {
        const std::size_t end = rest.find('}');
        if (end == rest.npos) {
            fault_ = {"\"${\" without \"}\"",
                      "Write ${iot:ClientId}, or ${$}{ for the characters."};
            return false;
        }
        const std::string_view name = rest.substr(2, end - 2);
        auto parsed = parse_variable(name);
        if (!parsed) {
            const std::string near = nearest_variable(name);
            fault_ = {"unknown variable \"${" + escape(name, 80) + "}\"",
                      near.empty() ? "The variables are listed in docs/policies.md."
                                   : "Did you mean ${" + near + "}?"};
            return false;
        }
        if (is_per_request(parsed->field) || parsed->list) {
            fault_ = {"${" + parsed->name + "} has no single value that could be put in here",
                      "Use it as the key of a Condition."};
            return false;
        }
        template_.parts.emplace_back(std::move(*parsed));
        at_ += end + 1;
        return true;
    }

    std::string_view text_;
    bool patterns_;
    std::size_t at_ = 0;
    Template template_;
    TemplateFault fault_;
};

/// Calls `literal` and `sign` for the parts in order; false when a variable has no value.
template <typename Literal, typename Sign>
bool for_each_part(const Template& text, const Attributes& attributes, std::string* missing,
                   const Literal& literal, const Sign& sign) {
    for (const Template::Part& part : text.parts) {
        if (const auto* plain = std::get_if<std::string>(&part)) {
            literal(*plain);
        } else if (const auto* token = std::get_if<Token>(&part)) {
            sign(*token);
        } else {
            const auto& variable = std::get<Variable>(part);
            const auto values = values_of(variable, attributes);
            if (values.empty()) {
                if (missing != nullptr) {
                    *missing = variable.name;
                }
                return false;
            }
            literal(values.front());
        }
    }
    return true;
}

}  // namespace

bool Template::has_variable() const noexcept {
    return std::any_of(parts.begin(), parts.end(),
                       [](const Part& part) { return std::holds_alternative<Variable>(part); });
}

bool Template::uses(Field field) const noexcept {
    return std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
        const auto* variable = std::get_if<Variable>(&part);
        return variable != nullptr && variable->field == field;
    });
}

std::variant<Template, TemplateFault> parse_template(std::string_view text, Wildcards wildcards) {
    return TemplateParser(text, wildcards).parse();
}

std::optional<Tokens> expand(const Template& text, const Attributes& attributes,
                             std::string* missing) {
    Tokens tokens;
    const bool complete = for_each_part(
        text, attributes, missing, [&](const std::string& part) { append_literal(tokens, part); },
        [&](Token token) { tokens.push_back(token); });
    return complete ? std::optional(std::move(tokens)) : std::nullopt;
}

std::optional<std::string> expand_text(const Template& text, const Attributes& attributes,
                                       std::string* missing) {
    std::string out;
    const bool complete = for_each_part(
        text, attributes, missing, [&](const std::string& part) { out += part; }, [](Token) {});
    return complete ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace iotsky::acl
