#include "acl/rule_set.hpp"

#include "tests/unit/acl/support.hpp"

using namespace iotsky;
using namespace iotsky::acl;
using namespace iotsky::acl::test;

namespace {

const ClassRights kWeather{"7b", "otter", "weather", false};
const ClassRights kStrict{"7b", "otter", "weather", true};

bool may(const AuthContext& context, Action action, std::string_view resource) {
    return allowed(context, action, resource);
}

}  // namespace

TEST_SUITE("acl.rule_set") {
    TEST_CASE("rules say whether they read the certificate's names") {
        const auto reads = [](const std::string& resource, const std::string& condition = "") {
            const std::string more =
                condition.empty() ? "" : R"(,"Condition":{"StringEquals":{)" + condition + "}}";
            const NamedPolicy policy = named(allow("iot:Publish", resource, more));
            return compile({&policy, 1}, kWeather).value()->reads_certificate();
        };
        CHECK_FALSE(reads("topic/${iot:ClientId}"));
        CHECK(reads("topic/${iot:Certificate.Issuer.Country}"));
        CHECK(reads("topic/a", R"("iot:Certificate.Subject.CommonName":"a")"));
        CHECK(reads("topic/a",
                    R"("iot:ClientId":"${iot:Certificate.Subject.AlternativeName.DNSName}")"));
    }

    TEST_CASE("default rights: what a thing in a class may and may not") {
        const auto context = context_of({}, {}, kWeather, Reserved{"th_1"});
        struct Row {
            const char* name;
            bool write;
            bool read;
        };
        constexpr Row kRows[] = {
            {"7b/otter/weather", true, true},
            {"7b/otter/weather/temp", true, true},
            {"7b/otter/weather/a/b/c", true, true},
            {"7b/otter/weather2/temp", false, true},
            {"7b/otter/door/temp", false, true},
            {"7b/otter", false, true},
            {"7b/otters/x", false, false},
            {"7b/heron/door", false, false},
            {"7b/board", false, true},
            {"7b/board/news", false, true},
            {"7b/commons/chat", true, true},
            {"7b/commons", true, true},
            {"7b/commonsx", false, false},
            {"7b", false, false},
            {"7c/otter/weather/temp", false, false},
            {"otter/weather/temp", false, false},
            {"/7b/otter/weather", false, false},
            {"$SYS/broker/uptime", false, false},
            {"$iotsky/things/th_1/notice", false, true},
            {"$iotsky/things/th_1/cert/renewed", false, true},
            {"$iotsky/things/th_10/notice", false, false},
            {"$iotsky/events/x", false, false},
            {"$aws/things/x/shadow/get", false, false},
        };
        for (const Row& row : kRows) {
            CAPTURE(row.name);
            CHECK(may(*context, Action::publish, row.name) == row.write);
            CHECK(may(*context, Action::retain_publish, row.name) == row.write);
            CHECK(may(*context, Action::subscribe, row.name) == row.read);
            CHECK(may(*context, Action::receive, row.name) == row.read);
            CHECK_FALSE(may(*context, Action::get_thing_shadow, row.name));
        }
        CHECK(may(*context, Action::connect, "any client id"));
    }

    TEST_CASE("default rights: filters with wildcards stay inside the own trees") {
        const auto context = context_of({}, {}, kWeather, Reserved{"th_1"});
        for (const char* filter : {"7b/otter/weather/#", "7b/otter/#", "7b/otter/+/temp",
                                   "7b/board/#", "7b/commons/+", "$iotsky/things/th_1/#"}) {
            CAPTURE(filter);
            CHECK(may(*context, Action::subscribe, filter));
            CHECK(context->receive_class(filter) == ReceiveClass::all);
        }
        for (const char* filter : {"#", "+/#", "7b/#", "7b/+/weather/#", "+/otter/#", "7c/#",
                                   "$SYS/#", "$iotsky/things/+/notice", "$iotsky/#"}) {
            CAPTURE(filter);
            CHECK_FALSE(may(*context, Action::subscribe, filter));
        }
        CHECK(context->receive_class("7b/#") == ReceiveClass::check);
        CHECK(context->receive_class("7c/#") == ReceiveClass::none);
        CHECK(context->receive_class("+/otter/#") == ReceiveClass::check);
    }

    TEST_CASE("strict isolation leaves the own tree and the service topics") {
        const auto context = context_of({}, {}, kStrict, Reserved{"th_1"});
        CHECK(may(*context, Action::publish, "7b/otter/weather/temp"));
        CHECK(may(*context, Action::subscribe, "7b/otter/weather/#"));
        CHECK(may(*context, Action::subscribe, "$iotsky/things/th_1/#"));
        CHECK(may(*context, Action::connect, "x"));
        for (const char* name : {"7b/otter/#", "7b/board/#", "7b/commons/#", "7b/commons/chat"}) {
            CAPTURE(name);
            CHECK_FALSE(may(*context, Action::subscribe, name));
            CHECK_FALSE(may(*context, Action::publish, name));
        }
    }

    TEST_CASE("a classless thing has its policies and three service topics") {
        const auto context = context_of({}, {}, std::nullopt, Reserved{"th_2"});
        for (const char* name : {"notice", "info", "time"}) {
            const std::string topic = std::string("$iotsky/things/th_2/") + name;
            CHECK(may(*context, Action::subscribe, topic));
            CHECK(may(*context, Action::receive, topic));
            CHECK_FALSE(may(*context, Action::publish, topic));
        }
        CHECK(may(*context, Action::subscribe, "$iotsky/things/th_2/#"));
        CHECK(may(*context, Action::subscribe, "$iotsky/things/th_2/+"));
        CHECK_FALSE(may(*context, Action::receive, "$iotsky/things/th_2/cert/renewed"));
        CHECK(context->receive_class("$iotsky/things/th_2/#") == ReceiveClass::check);
        CHECK(context->receive_class("$iotsky/things/th_2/notice") == ReceiveClass::all);
        CHECK_FALSE(may(*context, Action::connect, "x"));
        CHECK(context->rules().alias().root.empty());
    }

    TEST_CASE("an explicit Deny wins over a default right and over every Allow") {
        const auto context = context_of({deny("iot:Publish", "topic/7b/otter/weather/secret*"),
                                         allow("iot:Publish", "topic/7b/otter/weather/secret")},
                                        {}, kWeather, Reserved{"th_1"});
        CHECK(may(*context, Action::publish, "7b/otter/weather/temp"));
        CHECK_FALSE(may(*context, Action::publish, "7b/otter/weather/secret"));
        CHECK(may(*context, Action::retain_publish, "7b/otter/weather/secret"));
    }

    TEST_CASE("RetainPublish is apart from Publish in policy documents") {
        const auto context = context_of({allow("iot:Publish", "topic/a")});
        CHECK(may(*context, Action::publish, "a"));
        CHECK_FALSE(may(*context, Action::retain_publish, "a"));
    }

    TEST_CASE("the examples of the AWS documentation") {
        const auto wide = context_of({allow("iot:*", "topicfilter/a/*")});
        CHECK(may(*wide, Action::subscribe, "a/#"));
        CHECK(may(*wide, Action::subscribe, "a/+/x"));
        CHECK_FALSE(may(*wide, Action::subscribe, "a"));
        CHECK_FALSE(may(*wide, Action::publish, "a/x"));  // a topic is no topicfilter
        const auto narrow = context_of({allow("iot:*", "topicfilter/a/#")});
        CHECK(may(*narrow, Action::subscribe, "a/#"));
        CHECK_FALSE(may(*narrow, Action::subscribe, "a/b"));
        const auto secret =
            context_of({allow("iot:*", "*"), deny("iot:Receive", "topic/a/secret/*"),
                        deny("iot:Subscribe", "topicfilter/a/secret/*")});
        CHECK(may(*secret, Action::subscribe, "a/#"));
        CHECK_FALSE(may(*secret, Action::receive, "a/secret/x"));
        CHECK(may(*secret, Action::receive, "a/open/x"));
        CHECK(secret->receive_class("a/#") == ReceiveClass::check);
        CHECK(secret->receive_class("a/open/#") == ReceiveClass::all);
        CHECK(secret->receive_class("a/secret/x/#") == ReceiveClass::none);
    }

    TEST_CASE("resources without a kind of their own are \"*\"") {
        const auto context = context_of({allow("iot:ListRetainedMessages", "*")});
        CHECK(may(*context, Action::list_retained_messages, "*"));
        CHECK_FALSE(may(*context, Action::list_named_shadows_for_thing, "*"));
        CHECK(may(*context_of({allow("iot:GetThingShadow", "thing/lamp/*")}),
                  Action::get_thing_shadow, "lamp/colour"));
        CHECK(may(*context_of({allow("iot:AssumeRoleWithCertificate", "rolealias/r")}),
                  Action::assume_role_with_certificate, "r"));
    }

    TEST_CASE("NotResource is everything else") {
        const std::string document =
            R"({"Statement": {"Effect": "Allow", "Action": ["iot:Publish", "iot:Connect"],
                "NotResource": ["arn:aws:iot:::topic/a/*", "arn:aws:iot:::topic/b"]}})";
        const auto context = context_of({document});
        CHECK(may(*context, Action::publish, "c"));
        CHECK(may(*context, Action::publish, "a"));
        CHECK_FALSE(may(*context, Action::publish, "a/x"));
        CHECK_FALSE(may(*context, Action::publish, "b"));
        CHECK(may(*context, Action::connect, "b"));  // client/b is not topic/b
    }

    TEST_CASE("variables take the connection's values, literally") {
        Attributes a;
        a.client_id = "*";
        a.thing_name = "lamp";
        const auto context = context_of({allow("iot:Publish", "topic/${iot:ClientId}/x"),
                                         allow("iot:Publish", "topic/t/${iot:Thing.ThingName}/*")},
                                        a);
        CHECK(may(*context, Action::publish, "*/x"));
        CHECK_FALSE(may(*context, Action::publish, "other/x"));
        CHECK(may(*context, Action::publish, "t/lamp/temp"));
        CHECK_FALSE(may(*context, Action::publish, "t/door/temp"));
    }

    TEST_CASE("${*}, ${?} and ${$} are the characters themselves, in both spellings") {
        for (const char* resource : {"topic/a${*}b${?}${$}{", "topic/a$(*)b$(?)$($){"}) {
            const auto context = context_of({allow("iot:Publish", resource)});
            CHECK(may(*context, Action::publish, "a*b?${"));
            CHECK_FALSE(may(*context, Action::publish, "axbx${"));
        }
        CHECK(may(*context_of({allow("iot:Publish", "topic/$aws/things/x")}), Action::publish,
                  "$aws/things/x"));
    }

    TEST_CASE("a client that calls itself + or # does not widen a filter rule") {
        for (const char* name : {"+", "#", "a/+", "x#"}) {
            CAPTURE(name);
            Attributes a;
            a.client_id = name;
            const auto context =
                context_of({allow("iot:Subscribe", "topicfilter/home/${iot:ClientId}/temp"),
                            allow("iot:Subscribe", "*")},
                           a);
            const auto narrow =
                context_of({allow("iot:Subscribe", "topicfilter/home/${iot:ClientId}/temp")}, a);
            const std::string filter = std::string("home/") + name + "/temp";
            CHECK_FALSE(may(*narrow, Action::subscribe, filter));
            CHECK(may(*context, Action::subscribe, filter));
            // Where nothing can be widened the name is as good as any.
            CHECK(may(*context_of({allow("iot:Connect", "client/${iot:ClientId}")}, a),
                      Action::connect, name));
            // A Deny must not vanish because of it.
            CHECK_FALSE(may(
                *context_of({allow("iot:*", "*"), deny("iot:*", "topicfilter/${iot:ClientId}")}, a),
                Action::subscribe, name));
        }
    }

    TEST_CASE("a variable without a value: the statement does not match; a Deny is reported") {
        const auto context = context_of({allow("iot:Publish", "topic/${iot:ClientId}"),
                                         allow("iot:Publish", "topic/open"),
                                         deny("iot:Publish", "topic/${iot:DomainName}")});
        CHECK_FALSE(may(*context, Action::publish, ""));
        CHECK(may(*context, Action::publish, "open"));
        REQUIRE(context->warnings().size() == 1);
        CHECK(context->warnings()[0] ==
              "policy \"p\" statement 0 forbids nothing here: ${iot:DomainName} has no value");
        const auto one_of_two =
            context_of({R"({"Statement": {"Effect": "Allow", "Action": "iot:Publish", "Resource":
                 ["arn:aws:iot:::topic/open", "arn:aws:iot:::topic/${iot:ClientId}"]}})"});
        CHECK_FALSE(may(*one_of_two, Action::publish, "open"));
        CHECK(one_of_two->warnings().empty());
    }

    TEST_CASE("verdicts that look at time or address are not cacheable") {
        Attributes a;
        a.source_ip = "10.1.2.3";
        a.client_id = "c";
        const std::string until =
            R"(, "Condition": {"DateLessThan": {"aws:CurrentTime": "2026-11-23T09:14:32Z"}})";
        const auto timed =
            context_of({allow("iot:*", "topic/a/*", until), allow("iot:*", "topic/b")}, a);
        CHECK(timed->evaluate(Action::publish, "a/x", kNow) == Verdict{true, false});
        CHECK(timed->evaluate(Action::publish, "a/x", kNow + std::chrono::seconds(1)) ==
              Verdict{false, false});
        CHECK(timed->evaluate(Action::publish, "b", kNow) == Verdict{true, true});
        CHECK(timed->evaluate(Action::publish, "c", kNow) == Verdict{false, true});
        CHECK(timed->receive_class("a/x") == ReceiveClass::check);
        for (const auto& [network, inside] :
             {std::pair{"10.0.0.0/8", true}, std::pair{"11.0.0.0/8", false}}) {
            const std::string from =
                std::string(R"(, "Condition": {"IpAddress": {"aws:SourceIp": ")") + network +
                "\"}}";
            const auto local = context_of({allow("iot:*", "topic/a", from)}, a);
            CHECK(local->evaluate(Action::publish, "a", kNow) == Verdict{inside, false});
            CHECK(local->evaluate(Action::publish, "b", kNow) == Verdict{false, true});
        }
        const auto by_name = context_of({allow("iot:*", "topic/${aws:SourceIp}")}, a);
        CHECK(by_name->evaluate(Action::publish, "10.1.2.3", kNow) == Verdict{true, false});
        CHECK(by_name->evaluate(Action::publish, "x", kNow) == Verdict{false, false});
        // A Deny that no time can change settles it.
        const auto denied =
            context_of({deny("iot:*", "topic/a/*"), allow("iot:*", "topic/a/*", until)}, a);
        CHECK(denied->evaluate(Action::publish, "a/x", kNow) == Verdict{false, true});
    }

    TEST_CASE("from valid_until on everything is refused") {
        const auto rules = compile({}, kWeather);
        REQUIRE(rules);
        const auto context = AuthContext::make(*rules, {}, kNow);
        CHECK(context
                  ->evaluate(Action::publish, "7b/otter/weather/x",
                             kNow - std::chrono::milliseconds(1))
                  .allowed);
        CHECK(context->evaluate(Action::publish, "7b/otter/weather/x", kNow) ==
              Verdict{false, false});
    }

    TEST_CASE(
        "service identities and anonymous listeners have their policy file and nothing else") {
        const NamedPolicy policy = named(allow("iot:*", "topicfilter/$iotsky/events/*"));
        const auto service = compile_service("grader", {&policy, 1});
        REQUIRE(service);
        CHECK((*service)->identity() == "service grader");
        const auto context = AuthContext::make(*service, {}, std::nullopt);
        CHECK(may(*context, Action::subscribe, "$iotsky/events/#"));
        CHECK_FALSE(may(*context, Action::connect, "x"));
        CHECK(context->rules().alias().reserved_root.empty());
        const auto anonymous = compile_anonymous("plain", policy);
        REQUIRE(anonymous);
        CHECK((*anonymous)->identity() == "anonymous clients of listener plain");
        CHECK_FALSE(may(*AuthContext::make(*anonymous, {}, std::nullopt), Action::connect, "x"));
    }

    TEST_CASE("names that would widen a tree are refused, limits hold") {
        for (const ClassRights& rights :
             {ClassRights{"#", "a", "b", false}, ClassRights{"7b", "a/b", "c", false},
              ClassRights{"7b", "a", "", false}, ClassRights{"7b", "commons", "x", false},
              ClassRights{"7b", "board", "x", false}}) {
            const auto rules = compile({}, rights);
            REQUIRE_FALSE(rules);
            CHECK(rules.error().number == "E3113");
        }
        CHECK(compile({}, kWeather, Reserved{"a/b"}).error().number == "E3113");
        CHECK(compile({}, kWeather, Reserved{""}).error().number == "E3113");
        const std::vector<NamedPolicy> three(3, named(allow("iot:*", "topic/a")));
        CHECK(compile(three, std::nullopt, std::nullopt, {3, 3}));
        CHECK(compile(three, std::nullopt, std::nullopt, {2, 3}).error().number == "E3112");
        CHECK(compile(three, std::nullopt, std::nullopt, {3, 2}).error().number == "E3112");
        CHECK(compile(three, std::nullopt, std::nullopt, {2, 3}).error().code ==
              Errc::limit_exceeded);
    }

    TEST_CASE("the three examples of docs/policies.md do what they say") {
        const ClassRights door{"7b", "heron", "door", false};
        const auto team = context_of({R"({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "iot:Publish",
            "Resource": "arn:aws:iot:::topic/7b/otter/lamp/switch"}})"},
                                     {}, door);
        CHECK(may(*team, Action::publish, "7b/otter/lamp/switch"));
        CHECK_FALSE(may(*team, Action::publish, "7b/otter/lamp/other"));

        const auto test = context_of({R"({"Version": "2012-10-17", "Statement": {
            "Sid": "QuietDuringTest", "Effect": "Deny",
            "Action": ["iot:Publish", "iot:RetainPublish"],
            "Resource": "arn:aws:iot:::topic/7b/commons/*",
            "Condition": {
              "DateGreaterThan": {"aws:CurrentTime": "2026-11-23T09:00:00+01:00"},
              "DateLessThan": {"aws:CurrentTime": "2026-11-23T10:00:00+01:00"}}}})"},
                                     {}, door);
        const auto sends = [&](const char* topic, std::chrono::minutes later) {
            // kNow is 09:14:31 UTC, a quarter of an hour behind the end of the test.
            return test->evaluate(Action::publish, topic, kNow + later).allowed;
        };
        CHECK(sends("7b/commons/chat", std::chrono::minutes(0)));
        CHECK_FALSE(sends("7b/commons/chat", std::chrono::minutes(-30)));
        CHECK(sends("7b/commons/chat", std::chrono::minutes(-90)));
        CHECK(sends("7b/heron/door/x", std::chrono::minutes(-30)));

        const std::string sensor = R"({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iot:Connect",
             "Resource": "arn:aws:iot:::client/${iot:Connection.Thing.ThingName}",
             "Condition": {"IpAddress": {"aws:SourceIp": ["10.20.0.0/16", "2001:db8:7::/48"]}}},
            {"Effect": "Allow", "Action": ["iot:Publish", "iot:RetainPublish", "iot:Receive"],
             "Resource": "arn:aws:iot:::topic/building/${iot:Connection.Thing.ThingName}/*"},
            {"Effect": "Allow", "Action": "iot:Subscribe",
             "Resource": "arn:aws:iot:::topicfilter/building/${iot:Connection.Thing.ThingName}/*"}]})";
        Attributes a;
        a.thing_name = "roof";
        a.source_ip = "::ffff:10.20.3.4";
        CHECK(may(*context_of({sensor}, a), Action::connect, "roof"));
        CHECK_FALSE(may(*context_of({sensor}, a), Action::connect, "cellar"));
        CHECK(may(*context_of({sensor}, a), Action::subscribe, "building/roof/#"));
        CHECK_FALSE(may(*context_of({sensor}, a), Action::publish, "building/cellar/x"));
        a.source_ip = "10.21.3.4";
        CHECK_FALSE(may(*context_of({sensor}, a), Action::connect, "roof"));
    }
}
