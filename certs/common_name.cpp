#include "certs/common_name.hpp"

#include "base/text.hpp"
#include "certs/profile.hpp"

namespace iotsky::certs {

bool is_valid_common_name(std::string_view text) {
    std::size_t characters = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        characters += (byte & 0xc0U) != 0x80 ? 1U : 0U;
    }
    if (characters < 1 || characters > kCommonNameMax) {
        return false;
    }
    // escape() leaves valid UTF-8 without control characters alone, but for these two.
    std::string plain{text};
    std::erase_if(plain, [](char c) { return c == '"' || c == '\\'; });
    return escape(plain, plain.size()) == plain;
}

std::string fit_common_name(std::string_view path) {
    while (path.size() > kCommonNameMax) {
        const std::size_t slash = path.find('/');
        if (slash == std::string_view::npos) {
            return std::string{path.substr(path.size() - kCommonNameMax)};
        }
        path.remove_prefix(slash + 1);
    }
    return std::string{path};
}

}  // namespace iotsky::certs
