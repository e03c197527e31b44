#include "base/file_stamp.hpp"

#include "base/text.hpp"

namespace iotsky {

std::string file_stamp(WallTime time) {
    std::string text = format_utc(time);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

}  // namespace iotsky
