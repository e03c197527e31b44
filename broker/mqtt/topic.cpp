#include "broker/mqtt/topic.hpp"

#include <algorithm>

namespace iotsky::mqtt {
namespace {

constexpr std::string_view kWildcards = "+#";

bool ends_level(std::string_view text, std::size_t after) noexcept {
    return after == text.size() || text[after] == '/';
}

bool begins_level(std::string_view text, std::size_t at) noexcept {
    return at == 0 || text[at - 1] == '/';
}

}  // namespace

std::optional<DecodeError> topic_filter_fault(std::string_view filter) noexcept {
    if (filter.empty()) {
        return DecodeError::topic_empty;  // [MQTT-4.7.3-1]
    }
    for (std::size_t at = filter.find_first_of(kWildcards); at != std::string_view::npos;
         at = filter.find_first_of(kWildcards, at + 1)) {
        const bool is_hash = filter[at] == '#';
        if (is_hash && !(begins_level(filter, at) && at + 1 == filter.size())) {
            return DecodeError::filter_hash;  // [MQTT-4.7.1-2]
        }
        if (!is_hash && !(begins_level(filter, at) && ends_level(filter, at + 1))) {
            return DecodeError::filter_plus;  // [MQTT-4.7.1-3]
        }
    }
    return std::nullopt;
}

// [MQTT-4.7.3-3]: two bytes of length cannot announce more; this is for names from elsewhere.
bool is_valid_topic_filter(std::string_view filter) noexcept {
    return filter.size() <= kFieldBytesMax && !topic_filter_fault(filter);
}

bool is_valid_topic_name(std::string_view topic) noexcept {
    return !topic.empty() && topic.size() <= kFieldBytesMax && !has_wildcard(topic);
}

bool has_wildcard(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(), [](char c) { return c == '+' || c == '#'; });
}

// Both wildcards are served [MQTT-3.8.3-2]; bytes are compared as they are [MQTT-4.7.3-4].
bool matches(std::string_view filter, std::string_view topic) noexcept {
    if (topic.starts_with('$') && (filter.starts_with('#') || filter.starts_with('+'))) {
        return false;  // [MQTT-4.7.2-1]
    }
    std::size_t f = 0;
    std::size_t t = 0;
    while (f < filter.size()) {
        if (filter[f] == '#') {
            return true;
        }
        if (filter[f] == '+') {
            t = std::min(topic.find('/', t), topic.size());
            ++f;
        } else if (t < topic.size() && filter[f] == topic[t]) {
            ++f;
            ++t;
        } else {
            return t == topic.size() && filter.substr(f) == "/#";  // "a/#" includes its parent
        }
    }
    return t == topic.size();
}

Levels::Iterator& Levels::Iterator::operator++() noexcept {
    if (last()) {
        *this = {};
    } else {
        rest_.remove_prefix(level_bytes_ + 1);
        cut();
    }
    return *this;
}

void Levels::Iterator::cut() noexcept {
    level_bytes_ = std::min(rest_.find('/'), rest_.size());
}

}  // namespace iotsky::mqtt
