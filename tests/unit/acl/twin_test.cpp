#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "acl/auth_context.hpp"
#include "acl/explain.hpp"
#include "tests/unit/acl/naive_policy.hpp"
#include "tests/unit/acl/random_policy.hpp"
#include "tests/unit/acl/support.hpp"

using namespace iotsky;
using namespace iotsky::acl;

namespace {

constexpr std::array kActions{Action::connect,          Action::publish,
                              Action::subscribe,        Action::receive,
                              Action::retain_publish,   Action::receive,
                              Action::get_thing_shadow, Action::list_retained_messages};

/// One principal: up to two documents, in half of the cases default rights as well.
struct Case {
    std::vector<std::string> documents;
    std::optional<ClassRights> rights;
    Attributes attributes;
    std::shared_ptr<const AuthContext> context;
    test::NaivePolicies twin;
    test::NaivePolicies twin_with_allow_all;
};

Case random_case(SeededRandom& random) {
    Case made;
    std::vector<NamedPolicy> policies;
    for (std::uint64_t i = random.below(3); i > 0; --i) {
        made.documents.push_back(test::random_document(random));
        policies.push_back(test::named(made.documents.back()));
        made.twin.add(made.documents.back());
    }
    made.twin_with_allow_all = made.twin;
    made.twin_with_allow_all.add(
        R"({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})");
    if (random.below(2) == 0) {
        made.rights = ClassRights{"a", "b", "c", random.below(2) == 0};
    }
    made.attributes = test::random_attributes(random);
    const auto rules = compile(policies, made.rights,
                               made.rights ? std::optional(Reserved{"th_1"}) : std::nullopt);
    REQUIRE(rules);
    made.context = AuthContext::make(*rules, made.attributes, std::nullopt);
    return made;
}

/// Default rights as one more document that says the same, for the twin to weigh with the others.
bool naive(const Case& made, const RequestContext& request) {
    const bool by_class = made.rights && test::naive_class_allowed(*made.rights, "th_1", request);
    return (by_class ? made.twin_with_allow_all : made.twin).allowed(made.attributes, request);
}

}  // namespace

TEST_SUITE("acl.twin") {
    TEST_CASE("25,000 verdicts agree with the slow and obvious evaluator") {
        constexpr std::uint64_t kSeed = 0x5eed0001;
        SeededRandom random(kSeed);
        constexpr std::array<std::string_view, 2> kAttributes{kPersistentConnect, kLastWill};
        int allowed = 0;
        for (int i = 0; i < 2'500; ++i) {
            const Case made = random_case(random);
            for (int j = 0; j < 10; ++j) {
                const Action action = kActions[random.below(kActions.size())];
                const std::string resource = action == Action::subscribe
                                                 ? test::random_filter(random)
                                                 : test::random_topic(random);
                const RequestContext request{action, resource,
                                             test::kNow + std::chrono::milliseconds(250),
                                             std::span(kAttributes).first(random.below(3))};
                const Verdict verdict = made.context->evaluate(request);
                allowed += verdict.allowed ? 1 : 0;
                if (verdict.allowed != naive(made, request)) {
                    CAPTURE(i);
                    CAPTURE(to_string(action));
                    CAPTURE(resource);
                    for (const std::string& document : made.documents) {
                        MESSAGE(document);
                    }
                    FAIL("the evaluator and its twin differ; seed " << kSeed);
                }
            }
        }
        // Neither answer may be so rare that agreement says nothing.
        CHECK(allowed > 3'000);
        CHECK(allowed < 20'000);
    }

    TEST_CASE("explain agrees with evaluate, and its hints are allowed") {
        SeededRandom random(0x5eed0004);
        int refused = 0;
        int hints = 0;
        for (int i = 0; i < 2'000; ++i) {
            const Case made = random_case(random);
            const Action action = kActions[random.below(kActions.size())];
            const std::string resource = test::random_topic(random);
            if (MeAlias::is_alias(resource)) {
                continue;  // explain reads it as the alias
            }
            const RequestContext request{action, resource, test::kNow, {}};
            const Explanation e = explain(*made.context, request);
            CHECK(e.verdict == made.context->evaluate(request));
            CHECK(e.number.empty() == e.verdict.allowed);
            const auto outcome = [&](const char* text) {
                return std::any_of(e.tried.begin(), e.tried.end(),
                                   [&](const TriedRule& rule) { return rule.outcome == text; });
            };
            CHECK(e.verdict.allowed == (outcome("allows") && !outcome("denies")));
            CHECK(e.decided_by.has_value() == (outcome("allows") || outcome("denies")));
            refused += e.verdict.allowed ? 0 : 1;
            if (!e.nearest.empty()) {
                ++hints;
                CHECK(made.context->evaluate(action, e.nearest, test::kNow).allowed);
            }
        }
        CHECK(refused > 500);
        CHECK(hints > 100);
    }

    TEST_CASE("a cacheable verdict is the same at any time") {
        SeededRandom random(0x5eed0002);
        int cacheable = 0;
        int other = 0;
        for (int i = 0; i < 2'000; ++i) {
            const Case made = random_case(random);
            const std::string topic = test::random_topic(random);
            const Verdict first = made.context->evaluate(Action::publish, topic, test::kNow);
            (first.cacheable ? cacheable : other) += 1;
            for (const std::int64_t later :
                 {0LL, 1'795'425'270LL, 1'800'000'000LL, 2'000'000'000LL}) {
                if (first.cacheable) {
                    CHECK(made.context->evaluate(Action::publish, topic, from_unix_s(later)) ==
                          first);
                }
            }
        }
        CHECK(cacheable > 1'000);
        CHECK(other > 100);
    }

    TEST_CASE("receive classes hold for every topic that the filter matches") {
        SeededRandom random(0x5eed0003);
        std::array<int, 3> seen{};
        for (int i = 0; i < 2'000; ++i) {
            const Case made = random_case(random);
            for (int j = 0; j < 3; ++j) {
                const std::string filter = test::random_filter(random);
                const ReceiveClass known = made.context->receive_class(filter);
                ++seen[static_cast<std::size_t>(known)];
                for (int k = 0; k < 30 && known != ReceiveClass::check; ++k) {
                    const std::string topic = test::random_topic(random);
                    if (!test::naive_filter_matches(filter, topic)) {
                        continue;
                    }
                    CAPTURE(filter);
                    CAPTURE(topic);
                    CHECK(naive(made, {Action::receive, topic, test::kNow, {}}) ==
                          (known == ReceiveClass::all));
                }
            }
        }
        CHECK(seen[0] > 200);
        CHECK(seen[1] > 200);
        CHECK(seen[2] > 200);
    }
}
