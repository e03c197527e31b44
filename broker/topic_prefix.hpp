#pragma once

#include <algorithm>
#include <string_view>

namespace iotsky::broker {

/// The first two levels of a Topic Name or Topic Filter, as text: "7b/otter" of "7b/otter/weather",
/// "a" of "a", "a/" of "a//b". Indexes are cut into shards by it: a student's topics share it.
[[nodiscard]] inline std::string_view topic_prefix(std::string_view text) noexcept {
    const std::size_t first = text.find('/');
    return first == std::string_view::npos ? text : text.substr(0, text.find('/', first + 1));
}

}  // namespace iotsky::broker
