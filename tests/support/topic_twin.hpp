#pragma once

#include <string_view>
#include <vector>

#include "base/text.hpp"

/// Section 4.7 word for word, slowly: what broker/mqtt/topic is compared with.
namespace iotsky::test {

inline bool slow_is_valid_filter(std::string_view filter) {
    const std::vector<std::string_view> levels = split(filter, '/');
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const bool wild = levels[i].find_first_of("+#") != std::string_view::npos;
        const bool plus = levels[i] == "+";
        const bool hash = levels[i] == "#" && i + 1 == levels.size();
        if (wild && !plus && !hash) {
            return false;
        }
    }
    return !filter.empty();
}

inline bool slow_matches(std::string_view filter, std::string_view topic) {
    const std::vector<std::string_view> want = split(filter, '/');
    const std::vector<std::string_view> have = split(topic, '/');
    if (topic[0] == '$' && (want[0] == "+" || want[0] == "#")) {
        return false;
    }
    for (std::size_t i = 0; i < want.size(); ++i) {
        if (want[i] == "#") {
            return true;  // the rest, and also nothing: "a/#" matches "a"
        }
        if (i == have.size() || (want[i] != "+" && want[i] != have[i])) {
            return false;
        }
    }
    return want.size() == have.size();
}

}  // namespace iotsky::test
