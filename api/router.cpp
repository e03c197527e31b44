#include "api/router.hpp"

#include <algorithm>
#include <array>
#include <boost/url.hpp>
#include <charconv>

#include "api/errors.hpp"
#include "base/text.hpp"
#include "broker/mqtt/utf8.hpp"

namespace iotsky::api {
namespace {

constexpr std::array kMethods{Method::get, Method::post, Method::patch, Method::delete_};

std::optional<Method> parse_method(std::string_view text) {
    const auto found =
        std::ranges::find_if(kMethods, [&](Method method) { return to_string(method) == text; });
    return found != kMethods.end() ? std::optional{*found} : std::nullopt;
}

/// Text that may stand in JSON, logs and names: UTF-8 without control characters.
bool is_plain_text(std::string_view text) {
    return mqtt::check_utf8(text) == mqtt::Utf8Fault::none &&
           std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::optional<std::string> percent_decode(std::string_view text) {
    const auto decoded = boost::urls::make_pct_string_view(text);
    if (!decoded) {
        return std::nullopt;
    }
    std::string out = (*decoded).decode();
    return is_plain_text(out) ? std::optional{std::move(out)} : std::nullopt;
}

/// "{thing}" or "{certificate}:revoke".
struct Hole {
    std::string_view name;
    std::string_view suffix;
};

std::optional<Hole> hole_of(std::string_view pattern) {
    if (!pattern.starts_with('{')) {
        return std::nullopt;
    }
    const std::size_t end = pattern.find('}');
    return Hole{pattern.substr(1, end - 1), pattern.substr(end + 1)};
}

bool match_segment(std::string_view pattern, std::string_view segment, Pairs& params) {
    const auto hole = hole_of(pattern);
    if (!hole) {
        return pattern == segment;
    }
    if (segment.size() <= hole->suffix.size() || !segment.ends_with(hole->suffix)) {
        return false;
    }
    segment.remove_suffix(hole->suffix.size());
    auto value = percent_decode(segment);
    if (!value) {
        return false;
    }
    params.emplace_back(std::string{hole->name}, std::move(*value));
    return true;
}

std::optional<Pairs> match_path(const std::vector<std::string_view>& pattern,
                                const std::vector<std::string_view>& path) {
    Pairs params;
    if (pattern.size() != path.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (!match_segment(pattern[i], path[i], params)) {
            return std::nullopt;
        }
    }
    return params;
}

bool is_number_within(std::string_view text, std::int64_t min, std::int64_t max) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() && number >= min &&
           number <= max;
}

Result<void> check_query_value(const QueryField& field, std::string_view value) {
    if (field.type == QueryType::flag && !value.empty() && value != "true" && value != "false" &&
        value != "1" && value != "0") {
        return bad_query(field.name, "must be true or false");
    }
    if (field.type == QueryType::number && !is_number_within(value, field.min, field.max)) {
        return bad_query(field.name, "must be a number from " + std::to_string(field.min) + " to " +
                                         std::to_string(field.max));
    }
    return {};
}

}  // namespace

Router::Router(std::span<const Route> table) : table_(table) {
    patterns_.reserve(table.size());
    for (const Route& route : table) {
        patterns_.push_back(split(route.pattern, '/'));
    }
}

Result<Match> Router::find(std::string_view method, std::string_view path) const {
    const auto wanted = parse_method(method);
    const auto segments = split(path, '/');
    for (std::size_t i = 0; i < table_.size() && wanted; ++i) {
        if (table_[i].method != *wanted) {
            continue;
        }
        if (auto params = match_path(patterns_[i], segments)) {
            return Match{&table_[i], std::move(*params)};
        }
    }
    if (const std::string others = allowed(path); !others.empty()) {
        return method_not_allowed(escape(method, 16), others);
    }
    return no_such_route(escape(method, 16), path);
}

std::string Router::allowed(std::string_view path) const {
    const auto segments = split(path, '/');
    std::string out;
    for (std::size_t i = 0; i < table_.size(); ++i) {
        const std::string_view name = to_string(table_[i].method);
        if (match_path(patterns_[i], segments) && out.find(name) == std::string::npos) {
            out += (out.empty() ? "" : ", ") + std::string{name};
        }
    }
    return out;
}

Result<Target> parse_target(std::string_view target) {
    const auto url = boost::urls::parse_origin_form(target);
    if (!url) {
        return not_http("The request target is not a path.");
    }
    Target out;
    out.path = std::string{(*url).encoded_path()};
    for (const auto& param : (*url).params()) {
        if (!is_plain_text(param.key) || !is_plain_text(param.value)) {
            return not_http("The query is not UTF-8, or holds control characters.");
        }
        out.query.emplace_back(param.key, param.value);
    }
    return out;
}

Result<void> check_query(std::span<const QueryField> fields, const Pairs& query) {
    for (const auto& [name, value] : query) {
        const auto field = std::ranges::find(fields, name, &QueryField::name);
        if (field == fields.end()) {
            return bad_query(name, "is not known here");
        }
        IOTSKY_CHECK(check_query_value(*field, value));
    }
    return {};
}

}  // namespace iotsky::api
