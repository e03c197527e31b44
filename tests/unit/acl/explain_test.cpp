#include "acl/explain.hpp"

#include <algorithm>

#include "tests/unit/acl/support.hpp"

using namespace iotsky;
using namespace iotsky::acl;
using namespace iotsky::acl::test;

namespace {

const ClassRights kWeather{"7b", "otter", "weather", false};

std::shared_ptr<const AuthContext> weather(const std::vector<std::string>& documents = {}) {
    return context_of(documents, {}, kWeather, Reserved{"th_1"});
}

std::string outcome_of(const Explanation& explanation, const std::string& rule) {
    for (const TriedRule& tried : explanation.tried) {
        if (tried.origin.name() == rule) {
            return tried.outcome;
        }
    }
    return "not tried";
}

}  // namespace

TEST_SUITE("acl.explain") {
    TEST_CASE("the lesson: a neighbour's topic") {
        const Explanation e = explain(*weather(), Action::publish, "7b/heron/door", kNow);
        CHECK(e.verdict == Verdict{false, true});
        CHECK(e.number == "E3101");
        CHECK(e.what == "Publish to \"7b/heron/door\" refused.");
        CHECK(e.why ==
              "You are 7b/otter/weather and may publish in 7b/otter/weather/… and 7b/commons/…");
        CHECK(e.how ==
              "To share with heron, both projects must agree: ask your teacher for a grant.");
        CHECK(e.nearest == "7b/otter/weather/door");
        CHECK(e.nearest_me == "$me/door");
        CHECK_FALSE(e.decided_by);
        CHECK(outcome_of(e, "default own tree") == "no match");
        CHECK(outcome_of(e, "default project") == "not for Publish");
        CHECK(e.tried.size() == 6);
    }

    TEST_CASE("a filter that would show everybody's data") {
        const Explanation e = explain(*weather(), Action::subscribe, "#", kNow);
        CHECK(e.number == "E3102");
        CHECK(e.what == "\"#\" would show everybody's data.");
        CHECK(e.how == "You may use \"7b/otter/#\" or \"$me/#\".");
    }

    TEST_CASE("a leading slash") {
        const Explanation e = explain(*weather(), Action::publish, "/7b/otter/weather/temp", kNow);
        CHECK(e.number == "E3103");
        CHECK(e.what ==
              "\"/7b/otter/weather/temp\" starts with \"/\", which makes an empty first level.");
        CHECK(e.how == "Remove the slash: \"7b/otter/weather/temp\".");
        CHECK(explain(*weather(), Action::subscribe, "/x", kNow).number == "E3103");
    }

    TEST_CASE("each refused action has its number and three lines") {
        const auto context = context_of({});
        const std::pair<Action, const char*> rows[] = {
            {Action::publish, "E3101"},   {Action::retain_publish, "E3101"},
            {Action::subscribe, "E3102"}, {Action::connect, "E3104"},
            {Action::receive, "E3105"},   {Action::get_thing_shadow, "E3107"}};
        for (const auto& row : rows) {
            const Action action = row.first;
            const std::string number = row.second;
            const Explanation e = explain(*context, action, "a/b", kNow);
            CAPTURE(number);
            CHECK(e.number == number);
            CHECK_FALSE(e.what.empty());
            CHECK_FALSE(e.why.empty());
            CHECK_FALSE(e.how.empty());
        }
    }

    TEST_CASE("the nearest topic is one that is allowed") {
        struct Row {
            Action action;
            const char* asked;
            const char* nearest;
        };
        constexpr Row kRows[] = {
            {Action::publish, "temp", "7b/otter/weather/temp"},
            {Action::publish, "weather/temp", "7b/otter/weather/temp"},
            {Action::publish, "otter/weather/temp", "7b/otter/weather/temp"},
            {Action::publish, "7b/heron/lamp/state", "7b/otter/weather/state"},
            {Action::publish, "7b/weather/temp", "7b/otter/weather/temp"},
            {Action::publish, "7c/otter/weather/temp", "7b/otter/weather/temp"},
            {Action::publish, "7b/board/news", "7b/otter/weather/news"},
            {Action::subscribe, "7b/#", "7b/otter/#"},
            {Action::subscribe, "+/otter/#", "7b/otter/#"},
            {Action::subscribe, "7b/+/weather/temp", "7b/otter/weather/temp"},
        };
        for (const Row& row : kRows) {
            CAPTURE(row.asked);
            const Explanation e = explain(*weather(), row.action, row.asked, kNow);
            CHECK(e.nearest == row.nearest);
        }
        CHECK(explain(*context_of({}), Action::publish, "a", kNow).nearest.empty());
        const auto policy = context_of({allow("iot:Publish", "topic/home/kitchen/*"),
                                        allow("iot:Connect", "client/sensor-1")});
        CHECK(explain(*policy, Action::publish, "home/bath/temp", kNow).nearest ==
              "home/kitchen/temp");
        CHECK(explain(*policy, Action::connect, "sensor-2", kNow).nearest == "sensor-1");
    }

    TEST_CASE("an explicit Deny is named with its policy, place and Sid") {
        const std::string document =
            R"({"Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
                {"Sid": "NoSecrets", "Effect": "Deny", "Action": "iot:Publish",
                 "Resource": "arn:aws:iot:::topic/7b/otter/weather/secret"}]})";
        const Explanation e =
            explain(*weather({document}), Action::publish, "7b/otter/weather/secret", kNow);
        REQUIRE(e.decided_by);
        CHECK(e.decided_by->policy == "p");
        CHECK(e.decided_by->version == "1");
        CHECK(e.decided_by->statement == 1);
        CHECK(e.decided_by->sid == "NoSecrets");
        CHECK(e.number == "E3101");
        CHECK(outcome_of(e, "policy \"p\" statement 1 (NoSecrets)") == "denies");
        CHECK(outcome_of(e, "policy \"p\" statement 0") == "not for Publish");
        CHECK(outcome_of(e, "default own tree") == "allows");
        CHECK(e.why.find("statement 1 (NoSecrets) forbids it") != std::string::npos);
    }

    TEST_CASE("statements that cannot match say why") {
        Attributes a;
        a.client_id = "c";
        a.source_ip = "10.1.2.3";
        const auto context = context_of(
            {allow("iot:Publish", "topic/${iot:DomainName}"),
             allow("iot:Publish", "topic/a",
                   R"(, "Condition": {"StringEquals": {"iot:ClientId": "d"}})"),
             allow("iot:Publish", "topic/a",
                   R"(, "Condition": {"IpAddress": {"aws:SourceIp": "11.0.0.0/8"}})"),
             allow("iot:Publish", "topic/a",
                   R"(, "Condition": {"DateLessThan": {"aws:CurrentTime": "2020-01-01"}})"),
             allow("iot:Publish", "topicfilter/a")},
            a);
        const Explanation e = explain(*context, Action::publish, "a", kNow);
        REQUIRE(e.tried.size() == 5);
        const std::vector<std::string> expected{
            "${iot:DomainName} has no value", "condition StringEquals iot:ClientId does not hold",
            "its condition on the address does not hold",
            "condition DateLessThan aws:CurrentTime does not hold now",
            "its resource is no \"topic/...\""};
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CHECK(e.tried[i].outcome == expected[i]);
        }
    }

    TEST_CASE("$me names are understood and shown") {
        const Explanation yes = explain(*weather(), Action::publish, "$me/temp", kNow);
        CHECK(yes.verdict.allowed);
        CHECK(yes.resource == "7b/otter/weather/temp");
        CHECK(yes.decided_by->default_rule == "own tree");
        CHECK(yes.number.empty());
        CHECK(explain(*weather(), Action::subscribe, "$me/#", kNow).verdict.allowed);
        const Explanation forged = explain(*weather(), Action::publish, "$me/notice", kNow);
        CHECK_FALSE(forged.verdict.allowed);
        CHECK(forged.resource == "$iotsky/things/th_1/notice");
        const Explanation nobody =
            explain(*context_of({allow("iot:*", "*")}), Action::publish, "$me/temp", kNow);
        CHECK_FALSE(nobody.verdict.allowed);
        CHECK(nobody.why.find("no thing") != std::string::npos);
    }

    TEST_CASE("an identity that ended is told its end") {
        const auto rules = compile({}, kWeather);
        const auto context = AuthContext::make(*rules, {}, kNow);
        const Explanation e = explain(*context, Action::publish, "7b/otter/weather/x", kNow);
        CHECK_FALSE(e.verdict.allowed);
        CHECK_FALSE(e.decided_by);
        CHECK(e.why == "The rights of 7b/otter/weather ended at 2026-11-23T09:14:31Z.");
    }
}
