// Input: a Topic Filter, a line feed, a Topic Name.
// Promises: validity and matching agree with their slow twins; levels are those of a split.
#include <cstdint>
#include <string_view>

#include "base/assert.hpp"
#include "base/text.hpp"
#include "broker/mqtt/topic.hpp"
#include "broker/mqtt/utf8.hpp"
#include "tests/support/topic_twin.hpp"

namespace {

using namespace iotsky;
using namespace iotsky::mqtt;

void check_levels(std::string_view text) {
    std::size_t i = 0;
    const auto expected = split(text, '/');
    for (const std::string_view level : Levels(text)) {
        IOTSKY_ASSERT(level == expected.at(i++));
    }
    IOTSKY_ASSERT(i == expected.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t at = text.find('\n');
    if (at == std::string_view::npos || size > 4096) {
        return 0;
    }
    const std::string_view filter = text.substr(0, at);
    const std::string_view topic = text.substr(at + 1);
    if (check_utf8(text) != Utf8Fault::none) {
        return 0;  // never gets past the decoder
    }
    check_levels(filter);
    const bool valid = is_valid_topic_filter(filter);
    IOTSKY_ASSERT(valid == test::slow_is_valid_filter(filter));
    IOTSKY_ASSERT(is_valid_topic_name(topic) == (!topic.empty() && !has_wildcard(topic)));
    if (valid && is_valid_topic_name(topic)) {
        const bool match = matches(filter, topic);
        IOTSKY_ASSERT(match == test::slow_matches(filter, topic));
        IOTSKY_ASSERT(has_wildcard(filter) || match == (filter == topic));
    }
    return 0;
}
