#include "acl/me_alias.hpp"

#include <algorithm>
#include <array>

namespace iotsky::acl {
namespace {

constexpr std::string_view kAlias = "$me";
constexpr std::size_t kTopicBytesMax = 65'535;  // a UTF-8 string of MQTT has two length bytes
constexpr std::array<std::string_view, 4> kReserved{"notice", "time", "info", "cert"};
constexpr std::string_view kReservedClassAloneHas = "cert";

std::string_view first_level(std::string_view text) noexcept {
    return text.substr(0, text.find('/'));
}

bool is_reserved(std::string_view level) noexcept {
    return std::find(kReserved.begin(), kReserved.end(), level) != kReserved.end();
}

bool is_wildcard(std::string_view level) noexcept {
    return level == "+" || level == "#";
}

std::optional<std::string> join(std::string_view root, std::string_view rest) {
    if (root.empty() || root.size() + rest.size() > kTopicBytesMax) {
        return std::nullopt;
    }
    return std::string(root).append(rest);
}

}  // namespace

bool MeAlias::is_alias(std::string_view text) noexcept {
    return text.starts_with(kAlias) && (text.size() == kAlias.size() || text[kAlias.size()] == '/');
}

std::optional<std::string> MeAlias::expand_topic(std::string_view topic) const {
    if (!is_alias(topic)) {
        return std::string(topic);
    }
    const std::string_view rest = topic.substr(kAlias.size());  // "" or "/..."
    if (rest.empty()) {
        return join(root, rest);
    }
    const std::string_view level = first_level(rest.substr(1));
    if (!is_reserved(level)) {
        return join(root, rest);
    }
    if (root.empty() && level == kReservedClassAloneHas) {
        return std::nullopt;
    }
    return join(reserved_root, rest);
}

std::optional<std::vector<std::string>> MeAlias::expand_filter(std::string_view filter) const {
    const bool both = is_alias(filter) && filter.size() > kAlias.size() &&
                      is_wildcard(first_level(filter.substr(kAlias.size() + 1)));
    if (!both) {
        auto one = expand_topic(filter);
        if (!one) {
            return std::nullopt;
        }
        return std::vector<std::string>{std::move(*one)};
    }
    std::vector<std::string> filters;
    for (const std::string* part : {&root, &reserved_root}) {
        if (part->empty()) {
            continue;  // a classless thing has the reserved names only
        }
        auto one = join(*part, filter.substr(kAlias.size()));
        if (!one) {
            return std::nullopt;
        }
        filters.push_back(std::move(*one));
    }
    if (filters.empty()) {
        return std::nullopt;
    }
    return filters;
}

std::optional<std::string> MeAlias::contract(std::string_view topic) const {
    for (const std::string* part : {&root, &reserved_root}) {
        if (part->empty() || !topic.starts_with(*part)) {
            continue;
        }
        auto name = std::string(kAlias).append(topic.substr(part->size()));
        // The way back decides: root/notice and roots that only begin alike fail here.
        if (is_alias(name) && expand_topic(name) == topic) {
            return name;
        }
    }
    return std::nullopt;
}

}  // namespace iotsky::acl
