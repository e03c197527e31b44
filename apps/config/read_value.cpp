#include "apps/config/read_value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "apps/config/value_text.hpp"
#include "base/text.hpp"

namespace iotsky::apps {
namespace {

std::string joined(std::span<const std::string_view> words, std::string_view separator) {
    std::string out;
    for (const std::string_view word : words) {
        out += out.empty() ? "" : separator;
        out += word;
    }
    return out;
}

std::string number_text(const Expected& expected, std::int64_t value) {
    return expected.kind == Kind::size       ? format_size(value)
           : expected.kind == Kind::duration ? format_duration_ms(value)
                                             : std::to_string(value);
}

std::string range_text(const Expected& expected) {
    const std::string from = " from " + number_text(expected, expected.range.min);
    return expected.range.max == std::numeric_limits<std::int64_t>::max()
               ? from + " on"
               : from + " to " + number_text(expected, expected.range.max);
}

Refused wrong_type(const Expected& expected, std::string_view found) {
    return {"E1153", std::string{expected.key} + " is " + std::string{found} + ".",
            std::string{expected.key} + " takes " + describe(expected) + ".", "Correct the value."};
}

ReadResult in_range(const Expected& expected, std::int64_t value) {
    if (value < expected.range.min || value > expected.range.max) {
        return Refused{
            "E1154",
            std::string{expected.key} + " = " + number_text(expected, value) + " is out of range.",
            std::string{expected.key} + " takes " + describe(expected) + ".",
            "Choose a value in the range, or leave the line out for the default."};
    }
    return Value{value};
}

ReadResult read_choice(const Expected& expected, const std::string& word) {
    if (std::find(expected.words.begin(), expected.words.end(), word) != expected.words.end()) {
        return Value{word};
    }
    const std::vector<std::string> known(expected.words.begin(), expected.words.end());
    const std::string near = nearest(word, known);
    return Refused{"E1154",
                   std::string{expected.key} + " = \"" + escape(word, 64) + "\" is not known.",
                   std::string{expected.key} + " takes " + describe(expected) + ".",
                   near.empty() ? "Choose one of them." : "Did you mean \"" + near + "\"?"};
}

ReadResult read_quantity(const Expected& expected, const std::string& text) {
    const auto value = expected.kind == Kind::size ? parse_size(text) : parse_duration_ms(text);
    if (!value) {
        return wrong_type(expected, "\"" + escape(text, 64) + "\"");
    }
    return in_range(expected, *value);
}

ReadResult read_string(const Expected& expected, const std::string& text,
                       const std::filesystem::path& folder) {
    switch (expected.kind) {
        case Kind::text:
            return Value{text};
        case Kind::path:
            return text.empty() ? Value{text} : Value{(folder / text).lexically_normal().string()};
        case Kind::choice:
            return read_choice(expected, text);
        case Kind::size:
        case Kind::duration:
            return read_quantity(expected, text);
        default:
            return wrong_type(expected, "a string");
    }
}

ReadResult read_integer(const Expected& expected, std::int64_t value) {
    if (expected.kind == Kind::integer || expected.kind == Kind::size) {
        return in_range(expected, value);
    }
    if (expected.kind == Kind::duration) {
        Refused refused = wrong_type(expected, "the number " + std::to_string(value));
        refused.how = "Write the unit: \"" + std::to_string(value) + "s\" or \"" +
                      std::to_string(value) + "ms\".";
        return refused;
    }
    return wrong_type(expected, "a number");
}

}  // namespace

std::string describe(const Expected& expected) {
    switch (expected.kind) {
        case Kind::text:
            return "a string";
        case Kind::texts:
            return "an array of strings";
        case Kind::path:
            return "a path (string)";
        case Kind::flag:
            return "true or false";
        case Kind::integer:
            return "an integer" + range_text(expected);
        case Kind::size:
            return "a size" + range_text(expected);
        case Kind::duration:
            return "a duration" + range_text(expected);
        case Kind::choice:
            return expected.words.size() == 1
                       ? "\"" + std::string{expected.words[0]} + "\""
                       : "one of \"" + joined(expected.words, "\", \"") + "\"";
    }
    return {};
}

ReadResult read_value(const Expected& expected, const RawValue& raw,
                      const std::filesystem::path& folder) {
    if (const std::string* text = std::get_if<std::string>(&raw)) {
        return read_string(expected, *text, folder);
    }
    if (const std::int64_t* value = std::get_if<std::int64_t>(&raw)) {
        return read_integer(expected, *value);
    }
    if (const bool* flag = std::get_if<bool>(&raw)) {
        return expected.kind == Kind::flag ? ReadResult{Value{*flag}}
                                           : wrong_type(expected, "true or false");
    }
    if (const auto* texts = std::get_if<std::vector<std::string>>(&raw)) {
        return expected.kind == Kind::texts ? ReadResult{Value{*texts}}
                                            : wrong_type(expected, "an array");
    }
    return wrong_type(expected, "a number with a fraction");
}

ReadResult read_text(const Expected& expected, std::string_view text,
                     const std::filesystem::path& folder) {
    if (expected.kind == Kind::flag) {
        if (text == "true" || text == "false") {
            return Value{text == "true"};
        }
        return wrong_type(expected, "\"" + escape(text, 64) + "\"");
    }
    if (expected.kind == Kind::integer) {
        std::int64_t value = 0;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
        return fault == std::errc{} && end == text.data() + text.size()
                   ? in_range(expected, value)
                   : ReadResult{wrong_type(expected, "\"" + escape(text, 64) + "\"")};
    }
    if (expected.kind == Kind::texts) {
        std::vector<std::string> items;
        if (!text.empty()) {
            for (const std::string_view item : split(text, ',')) {
                items.emplace_back(item);
            }
        }
        return Value{items};
    }
    return read_string(expected, std::string{text}, folder);
}

}  // namespace iotsky::apps
