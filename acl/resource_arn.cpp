#include "acl/resource_arn.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/text.hpp"

namespace iotsky::acl {
namespace {

constexpr std::size_t kColons = 5;  // in front of the resource

const std::array<std::string, 24>& kinds() {
    static const std::array<std::string, 24> all{"client",
                                                 "topic",
                                                 "topicfilter",
                                                 "thing",
                                                 "thinggroup",
                                                 "thingtype",
                                                 "billinggroup",
                                                 "dynamicthinggroup",
                                                 "cert",
                                                 "cacert",
                                                 "policy",
                                                 "job",
                                                 "jobtemplate",
                                                 "rolealias",
                                                 "provisioningtemplate",
                                                 "domainconfiguration",
                                                 "authorizer",
                                                 "index",
                                                 "rule",
                                                 "destination",
                                                 "stream",
                                                 "otaupdate",
                                                 "securityprofile",
                                                 "dimension"};
    return all;
}

TemplateFault bad_prefix(std::string_view text) {
    return {"\"" + escape(text, 80) + "\" is no ARN of AWS IoT",
            "Write \"arn:aws:iot:us-east-1:123456789012:topic/...\" (region and account are not "
            "compared), or \"*\"."};
}

/// The five parts in front of the resource; nothing when there are fewer.
std::optional<std::array<std::string_view, kColons>> split_front(std::string_view text,
                                                                 std::string_view& resource) {
    std::array<std::string_view, kColons> parts;
    for (std::string_view& part : parts) {
        const std::size_t colon = text.find(':');
        if (colon == text.npos) {
            return std::nullopt;
        }
        part = text.substr(0, colon);
        text.remove_prefix(colon + 1);
    }
    resource = text;
    return parts;
}

bool only(std::string_view text, std::string_view allowed) noexcept {
    return text.find_first_not_of(allowed) == text.npos;
}

bool is_front(const std::array<std::string_view, kColons>& parts) noexcept {
    constexpr std::string_view kName = "abcdefghijklmnopqrstuvwxyz0123456789-*?";
    const bool partition =
        parts[1] == "*" || (parts[1].starts_with("aws") && only(parts[1], kName));
    return parts[0] == "arn" && partition && (parts[2] == "iot" || parts[2] == "*") &&
           only(parts[3], kName) && only(parts[4], "0123456789*?");
}

std::optional<TemplateFault> check_kind(std::string_view resource) {
    const std::size_t end = resource.find_first_of("/*?$");
    if (end != resource.npos && resource[end] != '/') {
        return std::nullopt;  // a wildcard or variable stands in for (part of) the kind
    }
    const std::string kind(resource.substr(0, end));
    if (end == resource.npos) {
        return TemplateFault{"\"" + escape(resource, 80) + "\" names nothing",
                             "Write the kind, a slash and a name: \"topic/a/b\"."};
    }
    if (std::find(kinds().begin(), kinds().end(), kind) != kinds().end()) {
        return std::nullopt;
    }
    const std::string near = nearest(kind, kinds());
    return TemplateFault{"unknown kind of resource \"" + escape(kind, 80) + "/\"",
                         near.empty() ? "Kinds are client/, topic/, topicfilter/ and thing/."
                                      : "Did you mean \"" + near + "/\"?"};
}

}  // namespace

std::variant<Template, TemplateFault> parse_resource_arn(std::string_view text) {
    if (text == "*") {
        return parse_template(text, Wildcards::patterns);
    }
    std::string_view resource;
    const auto front = split_front(text, resource);
    if (!front || !is_front(*front) || resource.empty()) {
        return bad_prefix(text);
    }
    if (auto fault = check_kind(resource)) {
        return *fault;
    }
    return parse_template(resource, Wildcards::patterns);
}

}  // namespace iotsky::acl
