#include "base/host.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "base/ascii.hpp"

namespace iotsky {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_port(std::string_view text) noexcept {
    return std::ranges::all_of(text, is_digit);
}

}  // namespace

std::string host_name(std::string_view host) {
    if (host.starts_with('[')) {
        const std::size_t end = host.find(']');
        if (end == std::string_view::npos) {
            return {};
        }
        const std::string_view rest = host.substr(end + 1);
        if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) {
            return {};
        }
        return ascii_lower(host.substr(1, end - 1));
    }
    const std::size_t colon = host.find(':');
    if (colon != std::string_view::npos && !is_port(host.substr(colon + 1))) {
        return {};
    }
    std::string name = ascii_lower(host.substr(0, colon));
    if (name.ends_with('.')) {
        name.pop_back();  // "localhost." is the same name
    }
    return name;
}

bool is_address(std::string_view name) {
    const std::string text{name};
    std::array<unsigned char, sizeof(::in6_addr)> bytes{};
    return text.find('\0') == std::string::npos &&
           (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
            ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1);
}

bool is_loopback(std::string_view name) noexcept {
    return name == "localhost" || name == "::1" ||
           (name.starts_with("127.") &&
            std::ranges::all_of(name, [](char c) { return c == '.' || is_digit(c); }));
}

}  // namespace iotsky
