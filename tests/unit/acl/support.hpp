#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "acl/auth_context.hpp"

namespace iotsky::acl::test {

inline constexpr std::int64_t kNowUnix = 1'795'425'271;  // 2026-11-23T09:14:31Z
inline const WallTime kNow = from_unix_s(kNowUnix);

/// Compiles a document that must be valid.
inline NamedPolicy named(const std::string& document, std::string name = "p") {
    auto policy = parse_policy(document);
    REQUIRE_MESSAGE(policy.has_value(), document << "\n" << policy.error());
    return {std::move(name), "1", std::make_shared<const Policy>(std::move(*policy))};
}

inline std::shared_ptr<const AuthContext> context_of(
    const std::vector<std::string>& documents, const Attributes& attributes = {},
    const std::optional<ClassRights>& rights = std::nullopt,
    const std::optional<Reserved>& reserved = std::nullopt) {
    std::vector<NamedPolicy> policies;
    for (const std::string& document : documents) {
        policies.push_back(named(document));
    }
    auto rules = compile(policies, rights, reserved);
    REQUIRE(rules);
    return AuthContext::make(*rules, attributes, std::nullopt);
}

/// `{"Statement": [...]}` with the fields of one Allow.
inline std::string allow(const std::string& action, const std::string& resource,
                         const std::string& more = "") {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":")" + action +
           R"(","Resource":"arn:aws:iot:us-east-1:123456789012:)" + resource + "\"" + more + "}]}";
}

inline std::string deny(const std::string& action, const std::string& resource,
                        const std::string& more = "") {
    return R"({"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":")" + action +
           R"(","Resource":"arn:aws:iot:us-east-1:123456789012:)" + resource + "\"" + more + "}]}";
}

inline bool allowed(const AuthContext& context, Action action, std::string_view resource) {
    return context.evaluate(action, resource, kNow).allowed;
}

}  // namespace iotsky::acl::test
