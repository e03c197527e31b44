#include "api/guard.hpp"

#include <algorithm>
#include <cctype>

#include "api/errors.hpp"
#include "base/ascii.hpp"
#include "base/host.hpp"

namespace iotsky::api {
namespace {

std::string_view wanted_type(BodyKind kind) {
    return kind == BodyKind::csv ? "text/csv" : "application/json";
}

std::string media_type(std::string_view content_type) {
    std::string type = ascii_lower(content_type.substr(0, content_type.find(';')));
    while (!type.empty() && type.back() == ' ') {
        type.pop_back();
    }
    return type;
}

}  // namespace

Result<void> check_host(std::string_view host, std::span<const std::string> names,
                        std::string_view own_address) {
    const std::string name = host_name(host);
    if (!name.empty() && (is_loopback(name) || name == own_address ||
                          std::ranges::find(names, name) != names.end())) {
        return {};
    }
    return wrong_host(host);
}

Result<void> check_origin(const OriginFacts& facts) {
    const std::string_view site = facts.sec_fetch_site;
    if (!site.empty() && site != "same-origin" && site != "none") {
        return cross_origin(facts.origin.empty() ? site : facts.origin);
    }
    const std::string ours = (facts.tls ? "https://" : "http://") + ascii_lower(facts.host);
    if (facts.origin.empty() || ascii_lower(facts.origin) == ours) {
        return {};
    }
    return cross_origin(facts.origin);
}

Result<void> check_content_type(BodyKind kind, std::string_view content_type, bool has_body) {
    if (kind == BodyKind::none || (!has_body && content_type.empty())) {
        return {};
    }
    if (media_type(content_type) == wanted_type(kind)) {
        return {};
    }
    return wrong_content_type(content_type, wanted_type(kind));
}

bool is_valid_request_id(std::string_view id) noexcept {
    return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
    });
}

}  // namespace iotsky::api
