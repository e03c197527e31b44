// Any bytes as a policy document: never a crash, and what is accepted means the same to the
// evaluator and to its slow twin.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "acl/auth_context.hpp"
#include "acl/explain.hpp"
#include "tests/unit/acl/naive_policy.hpp"

using namespace iotsky;
using namespace iotsky::acl;

namespace {

const WallTime kNow = from_unix_s(1'795'425'271);

std::vector<Attributes> connections() {
    Attributes full;
    full.client_id = "dev-1";
    full.source_ip = "::ffff:10.1.2.3";
    full.domain_name = "iot.lan";
    full.thing_name = "a";
    full.thing_type = "lamp";
    full.thing_attached = true;
    full.thing_attributes = {{"room", "a"}, {"n", "5"}};
    full.subject = {{"CommonName", "a*"}, {"OrganizationalUnit", "x"}, {"OrganizationalUnit", "#"}};
    full.subject_alternative_name = {{"DNSName", "a.lan"}};
    full.certificate_id = "0a1b";
    Attributes odd;
    odd.client_id = "+";
    odd.source_ip = "2001:db8::7";
    odd.thing_attached = false;
    return {Attributes{}, full, odd};
}

[[noreturn]] void differ(std::string_view document, const RequestContext& request) {
    std::fprintf(stderr, "evaluator and twin differ: action %d, resource %.*s\n%.*s\n",
                 static_cast<int>(request.action), static_cast<int>(request.resource.size()),
                 request.resource.data(), static_cast<int>(document.size()), document.data());
    std::abort();
}

void compare(std::string_view document, const AuthContext& context, const test::NaivePolicies& twin,
             const Attributes& attributes) {
    constexpr std::string_view kNames[] = {"a", "a/b",        "dev-1", "a/#",
                                           "+", "\xc3\xbc/x", "",      "7b/otter/weather/temp"};
    constexpr std::string_view kConnect[] = {kPersistentConnect};
    for (const Action action : all_actions()) {
        for (const std::string_view name : kNames) {
            const RequestContext request{action, name, kNow, kConnect};
            const bool allowed = context.evaluate(request).allowed;
            if (allowed != twin.allowed(attributes, request) ||
                allowed != explain(context, request).verdict.allowed) {
                differ(document, request);
            }
        }
    }
    for (const std::string_view filter : {"#", "a/#", "+/b", "a/b"}) {
        const ReceiveClass known = context.receive_class(filter);
        const RequestContext request{Action::receive, "a/b", kNow, {}};  // all of them match it
        if (known != ReceiveClass::check &&
            context.evaluate(request).allowed != (known == ReceiveClass::all)) {
            differ(document, request);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view document(reinterpret_cast<const char*>(data), size);
    auto policy = parse_policy(document);
    if (!policy) {
        const Error& error = policy.error();
        if (error.message.empty() || error.why.empty() || error.how.empty()) {
            std::abort();
        }
        return 0;
    }
    test::NaivePolicies twin;
    twin.add(document);
    const NamedPolicy named{"p", "1", std::make_shared<const Policy>(std::move(*policy))};
    const auto rules = compile({&named, 1}, std::nullopt);
    if (!rules) {
        return 0;  // more statements than one identity may carry
    }
    for (const Attributes& attributes : connections()) {
        const auto context = AuthContext::make(*rules, attributes, std::nullopt);
        compare(document, *context, twin, attributes);
    }
    return 0;
}
