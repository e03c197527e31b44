#include "apps/config/value_text.hpp"

#include <array>
#include <charconv>

#include "base/text.hpp"

namespace iotsky::apps {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

// Largest first, so that formatting takes the largest that divides.
constexpr std::array<Unit, 4> kSizeUnits{
    {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}};
constexpr std::array<Unit, 6> kTimeUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}, {"m", 60'000}}};

struct Number {
    std::int64_t value;
    std::string_view unit;
};

std::optional<Number> parse_number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{} || value < 0) {
        return std::nullopt;
    }
    std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    while (!unit.empty() && unit.front() == ' ') {
        unit.remove_prefix(1);
    }
    return Number{value, unit};
}

std::optional<std::int64_t> scale(std::int64_t value, std::int64_t factor) {
    std::int64_t out = 0;
    if (__builtin_mul_overflow(value, factor, &out)) {
        return std::nullopt;
    }
    return out;
}

template <std::size_t n>
std::optional<std::int64_t> parse_with_units(std::string_view text,
                                             const std::array<Unit, n>& units) {
    const auto number = parse_number(text);
    if (!number) {
        return std::nullopt;
    }
    for (const Unit& unit : units) {
        if (unit.name == number->unit) {
            return scale(number->value, unit.factor);
        }
    }
    return std::nullopt;
}

template <std::size_t n>
std::string format_with_units(std::int64_t value, const std::array<Unit, n>& units,
                              std::size_t fallback) {
    for (const Unit& unit : units) {
        if (value != 0 && value % unit.factor == 0) {
            return std::to_string(value / unit.factor) + std::string{unit.name};
        }
    }
    return std::to_string(value / units[fallback].factor) + std::string{units[fallback].name};
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
    constexpr std::array<std::string_view, 8> kWords{"string",  "strings", "path",     "boolean",
                                                     "integer", "size",    "duration", "word"};
    return kWords[static_cast<std::size_t>(kind)];
}

std::optional<std::int64_t> parse_size(std::string_view text) {
    if (const auto number = parse_number(text); number && number->unit.empty()) {
        return number->value;
    }
    return parse_with_units(text, kSizeUnits);
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
    return parse_with_units(text, kTimeUnits);
}

std::string format_size(std::int64_t bytes) {
    return format_with_units(bytes, kSizeUnits, 3);
}

std::string format_duration_ms(std::int64_t milliseconds) {
    return format_with_units(milliseconds, kTimeUnits, 3);
}

std::string quote_toml(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            const auto byte = static_cast<std::uint8_t>(c);
            out += "\\u00" + to_hex({&byte, 1});
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string format_toml(const Value& value, Kind kind) {
    if (const bool* flag = std::get_if<bool>(&value)) {
        return *flag ? "true" : "false";
    }
    if (const std::int64_t* number = std::get_if<std::int64_t>(&value)) {
        return kind == Kind::size       ? quote_toml(format_size(*number))
               : kind == Kind::duration ? quote_toml(format_duration_ms(*number))
                                        : std::to_string(*number);
    }
    if (const std::string* text = std::get_if<std::string>(&value)) {
        return quote_toml(*text);
    }
    std::string out;
    for (const std::string& item : std::get<std::vector<std::string>>(value)) {
        out += (out.empty() ? "" : ", ") + quote_toml(item);
    }
    return "[" + out + "]";
}

}  // namespace iotsky::apps
