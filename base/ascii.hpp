#pragma once

#include <string>
#include <string_view>

namespace iotsky {

/// With A-Z in lower case; everything else as it is: names of protocols and hosts, not of people.
[[nodiscard]] inline std::string ascii_lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

}  // namespace iotsky
