#include "acl/policy.hpp"

#include <algorithm>
#include <array>

#include "tests/unit/acl/support.hpp"

using namespace iotsky;
using namespace iotsky::acl;

namespace {

bool parses(const std::string& json, const PolicyLimits& limits = {}) {
    return parse_policy(json, limits).has_value();
}

struct BadRow {
    std::string json;
    std::string place;  ///< "line 1, column 2" and the pointer when there is one
    std::string says;
    std::string how;
};

std::string statement(const std::string& fields) {
    return "{\"Statement\": [{" + fields + "}]}";
}

const std::string kGood = R"("Effect": "Allow", "Action": "iot:Publish", "Resource": "*")";

void check_refused(const BadRow& row) {
    CAPTURE(row.json);
    const auto policy = parse_policy(row.json);
    REQUIRE_FALSE(policy.has_value());
    const Error& error = policy.error();
    CHECK(error.code == Errc::invalid_argument);
    CHECK(error.number == "E3110");
    CHECK_MESSAGE(error.message.starts_with(row.place + ": "), error.message);
    CHECK_MESSAGE(error.message.find(row.says) != std::string::npos, error.message);
    CHECK_MESSAGE(error.how.find(row.how) != std::string::npos, error.how);
    CHECK_FALSE(error.why.empty());
    REQUIRE(error.fields.size() == 1);
    const std::size_t comma = row.place.find(", /");
    CHECK(error.fields[0].pointer ==
          (comma == std::string::npos ? "" : row.place.substr(comma + 2)));
}

}  // namespace

TEST_SUITE("acl.policy") {
    TEST_CASE("a valid document is kept byte by byte") {
        const std::string text =
            "\n{ \"Version\":\"2012-10-17\",\t\"Statement\" : {" + kGood + "} }\r\n";
        const auto policy = parse_policy(text);
        REQUIRE(policy.has_value());
        CHECK(policy->text == text);
    }

    TEST_CASE("one value may stand where a list is allowed, and the other way round") {
        CHECK(parses("{\"Statement\": {" + kGood + "}}"));
        CHECK(parses(statement(
            R"("Sid": "x", "Effect": "Deny", "Action": ["iot:*", "*"], "NotResource": ["*"])")));
        CHECK(parses(statement(kGood + R"(, "Condition": {})")));
        CHECK(parses(statement(kGood + R"(, "Condition": {"NumericLessThan": {"aws:EpochTime": 5},
                                                 "Bool": {"iot:Thing.IsAttached": true}})")));
    }

    TEST_CASE("faults of JSON are told with their place") {
        const std::vector<BadRow> rows{
            {"", "line 1, column 1", "ends too early", "Mend"},
            {"{\"Statement\": [", "line 1, column 16", "ends too early", "Mend"},
            {"{\n  \"Statement\": [{},]\n}", "line 2, column 19", "a \",\" before \"]\"", "Mend"},
            {"{\n\"Version\": \"2012-10-17\"\n\"Statement\": []}", "line 3, column 1",
             "\",\" or \"}\" is missing", "Mend"},
            {"{\"a\": \"\xc3\xbc\", b}", "line 1, column 12", "a name in quotes", "Mend"},
            {"{\"Statement\" []}", "line 1, column 14", "\":\" is missing", "Mend"},
            {"{\"a\": \"x\ny\"}", "line 1, column 9", "line break", "Mend"},
            {"{\"a\": \"\\x\"}", "line 1, column 8", "unknown escape", "Mend"},
            {"{\"a\": \"\\ud800\"}", "line 1, column 8", "surrogate", "Mend"},
            {"{\"a\": \"\xff\"}", "line 1, column 8", "not UTF-8", "Mend"},
            {"{\"a\": \"b", "line 1, column 9", "closing", "Mend"},
            {"{\"a\": 01}", "line 1, column 8", "missing", "Mend"},
            {"{\"a\": 1.}", "line 1, column 9", "digit", "Mend"},
            {"{\"a\": 1} x", "line 1, column 10", "follows the end", "Mend"},
            {"{\"a\": 1, \"a\": 2}", "line 1, column 10", "\"a\" is there twice", "Mend"},
            {"\xef\xbb\xbf{}", "line 1, column 1", "byte order mark", "Mend"},
            {std::string(20, '['), "line 1, column 18", "nested too deeply", "Mend"},
        };
        for (const BadRow& row : rows) {
            check_refused(row);
        }
    }

    TEST_CASE("a second Effect cannot hide the first") {
        check_refused({statement("\"Effect\": \"Deny\", " + kGood), "line 1, column 35",
                       "\"Effect\" is there twice", "Mend"});
    }

    TEST_CASE("what a policy must have is asked for") {
        const std::vector<BadRow> rows{
            {"[]", "line 1, column 1", "a policy is an object", "Start with"},
            {"{}", "line 1, column 1", "\"Statement\" is missing", "Add"},
            {"{\"Statement\": []}", "line 1, column 15, /Statement", "no statement", "Add"},
            {"{\"Statement\": [5]}", "line 1, column 16, /Statement/0", "is an object", "Write"},
            {"{\"Version\": \"2012\", \"Statement\": []}", "line 1, column 13, /Version",
             "unknown version", "2012-10-17"},
            {"{\"Id\": 1, \"Statement\": []}", "line 1, column 8, /Id", "is a text", "quotes"},
            {statement(""), "line 1, column 16, /Statement/0", "\"Effect\" is missing", "Add"},
            {statement("\"Effect\": \"allow\""), "line 1, column 27, /Statement/0/Effect",
             "\"Allow\" or \"Deny\"", "Write"},
            {statement("\"Effect\": \"Allow\""), "line 1, column 16, /Statement/0",
             "\"Action\" is missing", "Add"},
            {statement(R"("Effect": "Allow", "Action": "*")"), "line 1, column 16, /Statement/0",
             "\"Resource\" is missing", "Resource"},
            {statement(kGood + R"(, "NotResource": "*")"), "line 1, column 16, /Statement/0",
             "in one statement", "either"},
            {statement(R"("Effect": "Allow", "Action": [], "Resource": "*")"),
             "line 1, column 46, /Statement/0/Action", "an empty list", "at least one"},
            {statement(R"("Effect": "Allow", "Action": "*", "Resource": [1])"),
             "line 1, column 64, /Statement/0/Resource/0", "a text in quotes", "quotes"},
            {statement("\"Sid\": 1, " + kGood), "line 1, column 24, /Statement/0/Sid",
             "\"Sid\" is a text", "quotes"},
        };
        for (const BadRow& row : rows) {
            check_refused(row);
        }
    }

    TEST_CASE("unknown names are refused and the nearest is offered") {
        const std::vector<BadRow> rows{
            {"{\"Statment\": []}", "line 1, column 2, /Statment", "unknown member",
             "Did you mean \"Statement\"?"},
            {statement(kGood + R"(, "Conditions": {})"),
             "line 1, column 78, /Statement/0/Conditions", "unknown member",
             "Did you mean \"Condition\"?"},
            {statement(kGood + R"(, "Principal": "*")"),
             "line 1, column 78, /Statement/0/Principal", "does not belong", "attached"},
            {statement(kGood + R"(, "NotAction": "*")"),
             "line 1, column 78, /Statement/0/NotAction", "does not belong", "actions"},
            {statement(
                 R"("Effect": "Allow", "Action": ["iot:Connect", "iot:Publsh"], "Resource": "*")"),
             "line 1, column 62, /Statement/0/Action/1", "unknown action \"iot:Publsh\"",
             "Did you mean \"iot:Publish\"?"},
            {statement(R"("Effect": "Allow", "Action": "s3:*", "Resource": "*")"),
             "line 1, column 46, /Statement/0/Action", "unknown action \"s3:*\"", "Actions are"},
            {statement(kGood + R"(, "Condition": {"StringEqual": {}})"),
             "line 1, column 92, /Statement/0/Condition/StringEqual", "unknown operator",
             "Did you mean \"StringEquals\"?"},
            {statement(kGood + R"(, "Condition": {"ForAnyValue:StringEqul": {}})"),
             "line 1, column 92, /Statement/0/Condition/ForAnyValue:StringEqul", "unknown operator",
             "Did you mean \"ForAnyValue:StringEquals\"?"},
            {statement(kGood + R"(, "Condition": {"NullIfExists": {}})"),
             "line 1, column 92, /Statement/0/Condition/NullIfExists", "unknown operator", "Null"},
            {statement(kGood + R"(, "Condition": {"Bool": {"iot:ClientID2": "true"}})"),
             "line 1, column 101, /Statement/0/Condition/Bool/iot:ClientID2",
             "unknown condition key", "Did you mean \"iot:ClientId\"?"},
        };
        for (const BadRow& row : rows) {
            check_refused(row);
        }
    }

    TEST_CASE("resources that could never mean what was written are refused") {
        const std::string front = R"("Effect": "Allow", "Action": "*", "Resource": )";
        const std::string place = "line 1, column 63, /Statement/0/Resource";
        const std::vector<std::array<std::string, 3>> rows{
            {"topic/a", "no ARN", "arn:aws:iot"},
            {"arn:aws:iot:us-east-1:topic/a", "no ARN", "region and account"},
            {"arn:aws:s3:::topic/a", "no ARN", "arn:aws:iot"},
            {"arn:aws:iot:US:1:topic/a", "no ARN", "arn:aws:iot"},
            {"arn:aws:iot:::", "no ARN", "arn:aws:iot"},
            {"arn:aws:iot:${AWS::Region}:1:topic/a", "no ARN", "arn:aws:iot"},
            {"arn:aws:iot:::topic", "names nothing", "slash"},
            {"arn:aws:iot:::topicfiler/a", "unknown kind", "Did you mean \"topicfilter/\"?"},
            {"arn:aws:iot:::topic/${iot:ClientIdd}", "unknown variable",
             "Did you mean ${iot:ClientId}?"},
            {"arn:aws:iot:::topic/${iot:ClientId", "without \"}\"", "${$}{"},
            {"arn:aws:iot:::topic/${aws:CurrentTime}", "no single value", "Condition"},
            {"arn:aws:iot:::topic/${iot:Certificate.Subject.CommonName.List}", "no single value",
             "Condition"},
        };
        for (const auto& [text, says, how] : rows) {
            check_refused({statement(front + "\"" + text + "\""), place, says, how});
        }
    }

    TEST_CASE("every known variable is accepted, old spelling and any letter case included") {
        for (const char* name :
             {"iot:ClientId", "IOT:clientid", "aws:SourceIp", "iot:DomainName",
              "iot:Connection.Thing.ThingName", "iot:Thing.ThingName",
              "iot:Connection.Thing.ThingTypeName", "iot:Connection.Thing.Attributes[room/1]",
              "iot:Connection.Thing.IsAttached", "iot:Certificate.Subject.CommonName",
              "iot:Certificate.Subject.DistinguishedNameQualifier.2",
              "iot:Certificate.Issuer.OrganizationalUnit.1", "iot:Certificate.SerialNumber",
              "iot:Certificate.Subject.SerialNumber", "iot:CertificateId",
              "iot:Certificate.Subject.AlternativeName.RFC822Name",
              "iot:Certificate.Issuer.AlternativeName.RegisteredId.0"}) {
            CAPTURE(name);
            CHECK(parses(test::allow("iot:Publish", "topic/${" + std::string(name) + "}")));
        }
        for (const char* name :
             {"iot:Connection.Thing.Attributes[]", "iot:Certificate.Subject.Shoe",
              "iot:Certificate.Subject.CommonName.x", "iot:Certificate.Subject.AlternativeName",
              "iot:Certificate.Subject.CommonName.1.2", "", "aws:username"}) {
            CAPTURE(name);
            CHECK_FALSE(parses(test::allow("iot:Publish", "topic/${" + std::string(name) + "}")));
        }
    }

    TEST_CASE("a condition value must fit its operator") {
        const std::vector<std::array<std::string, 2>> rows{
            {"NumericEquals", "\"five\""},    {"DateEquals", "\"2026-02-30\""},
            {"DateEquals", "\"tomorrow\""},   {"Bool", "\"yes\""},
            {"IpAddress", "\"10.0.0.0/33\""}, {"IpAddress", "\"10.0.0\""},
            {"ArnLike", "\"topic/a\""},       {"Null", "\"perhaps\""},
        };
        for (const auto& [op, value] : rows) {
            check_refused({statement(kGood + ", \"Condition\": {\"" + op +
                                     "\": {\"iot:ClientId\":\n " + value + "}}"),
                           "line 2, column 2, /Statement/0/Condition/" + op + "/iot:ClientId",
                           "does not fit", "Write"});
        }
        const std::string key = R"(, "Condition": {"StringEquals": {"iot:ClientId": )";
        CHECK_FALSE(parses(statement(kGood + key + "null}}")));
        CHECK_FALSE(parses(statement(kGood + key + "[]}}")));
        CHECK_FALSE(parses(statement(kGood + key + "{}}}")));
        CHECK_FALSE(parses(statement(kGood + R"(, "Condition": [])")));
        CHECK_FALSE(parses(statement(kGood + R"(, "Condition": {"Bool": "true"})")));
    }

    TEST_CASE("size counts characters without white space; the limit is an option") {
        const std::string json = "{\"Statement\": {" + kGood + "}}";
        const auto count = static_cast<std::size_t>(
            std::count_if(json.begin(), json.end(), [](char c) { return c != ' '; }));
        CHECK(parses(json, {count, 10'000}));
        CHECK(parses(json + std::string(100, ' '), {count, 10'000}));
        const auto long_one = parse_policy(json, {count - 1, 10'000});
        REQUIRE_FALSE(long_one.has_value());
        CHECK(long_one.error().number == "E3111");
        CHECK(long_one.error().code == Errc::limit_exceeded);
        CHECK(parse_policy(json + std::string(20, ' '), {count, json.size()}).error().number ==
              "E3111");
    }
}
