#include "api/request.hpp"

#include <algorithm>
#include <charconv>

#include "base/assert.hpp"

namespace iotsky::api {

std::string_view to_string(Method method) noexcept {
    switch (method) {
        case Method::get:
            return "GET";
        case Method::post:
            return "POST";
        case Method::patch:
            return "PATCH";
        case Method::delete_:
            return "DELETE";
    }
    return "GET";
}

std::string_view to_string(Rank rank) noexcept {
    switch (rank) {
        case Rank::none:
            return "none";
        case Rank::projector:
            return "projector";
        case Rank::student:
            return "student";
        case Rank::assistant:
            return "assistant";
        case Rank::teacher:
            return "teacher";
        case Rank::admin:
            return "admin";
    }
    return "none";
}

Rank rank_of(Role role) noexcept {
    switch (role) {
        case Role::admin:
            return Rank::admin;
        case Role::teacher:
            return Rank::teacher;
        case Role::assistant:
            return Rank::assistant;
        case Role::student:
            return Rank::student;
        case Role::projector:
            return Rank::projector;
        case Role::device:
            break;
    }
    return Rank::none;
}

const std::string& Request::param(std::string_view name) const {
    const auto found = std::ranges::find(params, name, &Pairs::value_type::first);
    IOTSKY_ASSERT(found != params.end());
    return found->second;
}

std::optional<std::string> Request::query_value(std::string_view name) const {
    const auto found = std::ranges::find(query, name, &Pairs::value_type::first);
    if (found == query.end()) {
        return std::nullopt;
    }
    return found->second;
}

bool Request::query_flag(std::string_view name) const {
    const auto value = query_value(name);
    return value && (value->empty() || *value == "true" || *value == "1");
}

std::int64_t Request::query_number(std::string_view name, std::int64_t fallback) const {
    const auto text = query_value(name);
    std::int64_t number = fallback;
    if (text) {
        std::from_chars(text->data(), text->data() + text->size(), number);
    }
    return number;
}

}  // namespace iotsky::api
