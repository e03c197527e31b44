#include "acl/condition.hpp"

#include <array>

#include "tests/unit/acl/support.hpp"

using namespace iotsky;
using namespace iotsky::acl;
using namespace iotsky::acl::test;

namespace {

Attributes somebody() {
    Attributes a;
    a.client_id = "Dev-7";
    a.source_ip = "::ffff:10.1.2.3";
    a.thing_name = "lamp";
    a.thing_attached = true;
    a.thing_attributes = {{"level", "5"},
                          {"since", "2026-11-23T09:14:31Z"},
                          {"arn", "arn:aws:iot:eu:1:thing/lamp"},
                          {"star", "a*b"}};
    a.subject = {
        {"OrganizationalUnit", "red"}, {"OrganizationalUnit", "blue"}, {"CommonName", "lamp"}};
    return a;
}

/// Whether an Allow with this condition allows.
bool holds(const std::string& op, const std::string& key, const std::string& value,
           const Attributes& attributes = somebody(),
           std::span<const std::string_view> connect_attributes = {}) {
    const auto context = context_of(
        {allow("iot:*", "client/x",
               R"(, "Condition": {")" + op + R"(": {")" + key + R"(": )" + value + "}}")},
        attributes);
    return context->evaluate({Action::connect, "x", kNow, connect_attributes}).allowed;
}

struct Row {
    const char* op;
    const char* key;
    const char* value;
    bool expected;
};

constexpr const char* kLevelKey = "iot:Connection.Thing.Attributes[level]";
constexpr const char* kSince = "iot:Connection.Thing.Attributes[since]";
constexpr const char* kArn = "iot:Connection.Thing.Attributes[arn]";
constexpr const char* kStar = "iot:Connection.Thing.Attributes[star]";
constexpr const char* kNone = "iot:Connection.Thing.Attributes[none]";
constexpr const char* kUnits = "iot:Certificate.Subject.OrganizationalUnit.List";

constexpr Row kRows[] = {
    {"StringEquals", "iot:ClientId", R"("Dev-7")", true},
    {"StringEquals", "iot:ClientId", R"(["a", "Dev-7"])", true},
    {"StringEquals", "iot:ClientId", R"("dev-7")", false},
    {"StringEquals", "iot:ClientId", R"("Dev*")", false},
    {"StringEquals", kStar, R"("a*b")", true},
    {"StringEquals", kStar, R"("a${*}b")", true},
    {"StringEquals", "iot:Connection.Thing.ThingName", R"("${iot:Certificate.Subject.CommonName}")",
     true},
    {"StringNotEquals", "iot:ClientId", R"("Dev-7")", false},
    {"StringNotEquals", "iot:ClientId", R"(["a", "Dev-7"])", false},
    {"StringNotEquals", "iot:ClientId", R"(["a", "b"])", true},
    {"StringEqualsIgnoreCase", "iot:ClientId", R"("dEV-7")", true},
    {"StringEqualsIgnoreCase", "iot:ClientId", R"("dev-8")", false},
    {"StringNotEqualsIgnoreCase", "iot:ClientId", R"("dEV-7")", false},
    {"StringLike", "iot:ClientId", R"("Dev-?")", true},
    {"StringLike", "iot:ClientId", R"("D*7")", true},
    {"StringLike", "iot:ClientId", R"("dev-?")", false},
    {"StringLike", kStar, R"("a${*}b")", true},
    {"StringLike", "iot:ClientId", R"("Dev${*}")", false},
    {"StringNotLike", "iot:ClientId", R"("Dev*")", false},
    {"StringNotLike", "iot:ClientId", R"("x*")", true},
    {"NumericEquals", kLevelKey, "5", true},
    {"NumericEquals", kLevelKey, R"("5.0")", true},
    {"NumericEquals", kLevelKey, "6", false},
    {"NumericNotEquals", kLevelKey, "5", false},
    {"NumericNotEquals", kLevelKey, "6", true},
    {"NumericLessThan", kLevelKey, "5", false},
    {"NumericLessThan", kLevelKey, "5.5", true},
    {"NumericLessThanEquals", kLevelKey, "5", true},
    {"NumericLessThanEquals", kLevelKey, "4", false},
    {"NumericGreaterThan", kLevelKey, "5", false},
    {"NumericGreaterThan", kLevelKey, "-1e3", true},
    {"NumericGreaterThanEquals", kLevelKey, "5", true},
    {"NumericGreaterThanEquals", kLevelKey, "6", false},
    {"NumericEquals", "iot:ClientId", "5", false},    // no number: matches nothing
    {"NumericNotEquals", "iot:ClientId", "5", true},  // so its opposite holds
    {"NumericGreaterThan", "aws:EpochTime", "1795425270", true},
    {"NumericGreaterThan", "aws:EpochTime", "1795425271", false},
    {"DateEquals", kSince, R"("2026-11-23T10:14:31+01:00")", true},
    {"DateEquals", kSince, R"("2026-11-23")", false},
    {"DateNotEquals", kSince, R"("2026-11-23")", true},
    {"DateLessThan", "aws:CurrentTime", R"("2026-11-23T09:14:32Z")", true},
    {"DateLessThan", "aws:CurrentTime", R"("2026-11-23T09:14:31Z")", false},
    {"DateLessThanEquals", "aws:CurrentTime", R"("2026-11-23T09:14:31Z")", true},
    {"DateLessThanEquals", "aws:CurrentTime", R"("2026-11-23T09:14:30.999Z")", false},
    {"DateGreaterThan", "aws:CurrentTime", R"("2026-11-23T09:14Z")", true},
    {"DateGreaterThan", "aws:EpochTime", R"("2026-11-24")", false},
    {"DateGreaterThanEquals", "aws:EpochTime", R"("1795425271")", true},
    {"DateGreaterThanEquals", "aws:CurrentTime", R"("2026-11-23T09:14:31-00:30")", false},
    {"Bool", "iot:Connection.Thing.IsAttached", R"("true")", true},
    {"Bool", "iot:Connection.Thing.IsAttached", "true", true},
    {"Bool", "iot:Connection.Thing.IsAttached", R"(["FALSE"])", false},
    {"Bool", "iot:ClientId", "false", false},
    {"IpAddress", "aws:SourceIp", R"("10.0.0.0/8")", true},
    {"IpAddress", "aws:SourceIp", R"("10.1.2.3")", true},
    {"IpAddress", "aws:SourceIp", R"("10.1.2.3/32")", true},
    {"IpAddress", "aws:SourceIp", R"("10.255.0.0/8")", true},
    {"IpAddress", "aws:SourceIp", R"("11.0.0.0/8")", false},
    {"IpAddress", "aws:SourceIp", R"("0.0.0.0/0")", true},
    {"IpAddress", "aws:SourceIp", R"("2001:db8::/32")", false},
    {"IpAddress", "aws:SourceIp", R"(["192.168.0.0/16", "10.1.2.0/30"])", true},
    {"NotIpAddress", "aws:SourceIp", R"("10.0.0.0/8")", false},
    {"NotIpAddress", "aws:SourceIp", R"("192.168.0.0/16")", true},
    {"StringEquals", "aws:SourceIp", R"("10.1.2.3")", true},        // not ::ffff:10.1.2.3
    {"ArnEquals", kArn, R"("arn:aws:iot:us:9:thing/lamp")", true},  // region and account differ
    {"ArnEquals", kArn, R"("arn:aws:iot:us:9:thing/*")", true},
    {"ArnLike", kArn, R"("arn:aws:iot:::thing/l?mp")", true},
    {"ArnLike", kArn, R"("arn:aws:s3:::thing/lamp")", false},
    {"ArnLike", "iot:ClientId", R"("arn:*:*:*:*:*")", false},
    {"ArnNotEquals", kArn, R"("arn:aws:iot:us:9:thing/lamp")", false},
    {"ArnNotLike", kArn, R"("arn:aws:iot:us:9:thing/x*")", true},
    {"Null", kNone, "true", true},
    {"Null", kNone, "false", false},
    {"Null", "iot:ClientId", "true", false},
    {"Null", "iot:ClientId", R"(["true", "false"])", true},
    // A key without a value: only negated operators hold.
    {"StringEquals", kNone, R"("a")", false},
    {"StringNotEquals", kNone, R"("a")", true},
    {"StringLike", kNone, R"("*")", false},
    {"NumericLessThan", kNone, "5", false},
    {"NotIpAddress", kNone, R"("10.0.0.0/8")", true},
    {"Bool", kNone, "true", false},
    // IfExists: holds without a value, else as usual.
    {"StringEqualsIfExists", kNone, R"("a")", true},
    {"StringEqualsIfExists", "iot:ClientId", R"("a")", false},
    {"StringEqualsIfExists", "iot:ClientId", R"("Dev-7")", true},
    {"BoolIfExists", kNone, "true", true},
    {"IpAddressIfExists", kNone, R"("10.0.0.0/8")", true},
    // Several values of one key.
    {"ForAnyValue:StringEquals", kUnits, R"("blue")", true},
    {"ForAnyValue:StringEquals", kUnits, R"("green")", false},
    {"ForAnyValue:StringNotEquals", kUnits, R"("blue")", true},
    {"ForAllValues:StringEquals", kUnits, R"("blue")", false},
    {"ForAllValues:StringEquals", kUnits, R"(["blue", "red", "x"])", true},
    {"ForAllValues:StringNotEquals", kUnits, R"("blue")", false},
    {"ForAllValues:StringLike", kUnits, R"("*e*")", true},
    {"StringEquals", kUnits, R"("blue")", true},
    {"StringNotEquals", kUnits, R"("blue")", false},
    {"ForAllValues:StringEquals", kNone, R"("a")", true},
    {"ForAnyValue:StringEquals", kNone, R"("a")", false},
    {"ForAnyValue:StringNotEquals", kNone, R"("a")", false},
    {"ForAnyValue:StringEqualsIfExists", kNone, R"("a")", true},
    {"StringEquals", "iot:Certificate.Subject.OrganizationalUnit", R"("red")", true},
    {"StringEquals", "iot:Certificate.Subject.OrganizationalUnit.1", R"("blue")", true},
    {"Null", "iot:Certificate.Subject.OrganizationalUnit.2", "true", true},
};

}  // namespace

TEST_SUITE("acl.condition") {
    TEST_CASE("every operator compares as the table says") {
        for (const Row& row : kRows) {
            CAPTURE(row.op);
            CAPTURE(row.key);
            CAPTURE(row.value);
            CHECK(holds(row.op, row.key, row.value) == row.expected);
        }
    }

    TEST_CASE("IPv6 networks") {
        Attributes a;
        a.source_ip = "2001:db8::7%eth0";
        CHECK(holds("IpAddress", "aws:SourceIp", R"("2001:db8::/32")", a));
        CHECK(holds("StringEquals", "aws:SourceIp", R"("2001:db8::7")", a));
        CHECK_FALSE(holds("IpAddress", "aws:SourceIp", R"("2001:db9::/32")", a));
        CHECK_FALSE(holds("IpAddress", "aws:SourceIp", R"("0.0.0.0/0")", a));
        CHECK(holds("NotIpAddress", "aws:SourceIp", R"("0.0.0.0/0")", a));
        CHECK(holds("IpAddress", "aws:SourceIp", R"("::/0")", a));
    }

    TEST_CASE("ConnectAttributes come with the CONNECT") {
        constexpr std::array<std::string_view, 2> kBoth{kPersistentConnect, kLastWill};
        const std::string key = "iot:ConnectAttributes";
        const auto only = [](const std::string& value) { return "[\"" + value + "\"]"; };
        const std::span none = std::span(kBoth).first(0);
        const std::span persistent = std::span(kBoth).first(1);
        const std::string for_all = "ForAllValues:StringEquals";
        CHECK(holds(for_all, key, only("PersistentConnect"), {}, persistent));
        CHECK(holds(for_all, key, only("PersistentConnect"), {}, none));
        CHECK_FALSE(holds(for_all, key, only("PersistentConnect"), {}, kBoth));
        CHECK(holds("ForAnyValue:StringEquals", key, only("LastWill"), {}, kBoth));
        CHECK_FALSE(holds("ForAnyValue:StringEquals", key, only("LastWill"), {}, persistent));
        CHECK(holds("Null", key, "true", {}, none));
        CHECK_FALSE(holds("Null", key, "true", {}, persistent));
    }

    TEST_CASE("operators and keys of one Condition must all hold") {
        const auto both = [](const std::string& client, const std::string& network) {
            return allowed(
                *context_of(
                    {allow("iot:Connect", "client/x",
                           R"(, "Condition": {"StringEquals": {"iot:ClientId": ")" + client +
                               R"("}, "IpAddress": {"aws:SourceIp": ")" + network + R"("}})")},
                    somebody()),
                Action::connect, "x");
        };
        CHECK(both("Dev-7", "10.0.0.0/8"));
        CHECK_FALSE(both("Dev-8", "10.0.0.0/8"));
        CHECK_FALSE(both("Dev-7", "11.0.0.0/8"));
    }

    TEST_CASE(
        "a variable in a value that has none, or does not fit, makes the statement not match") {
        CHECK_FALSE(holds("StringEquals", "iot:ClientId", R"(["Dev-7", "${iot:DomainName}"])"));
        CHECK_FALSE(holds("StringNotEquals", "iot:ClientId", R"("${iot:DomainName}")"));
        CHECK_FALSE(holds("NumericNotEquals", kLevelKey, R"("${iot:ClientId}")"));
        CHECK(holds("NumericEquals", kLevelKey, std::string("\"${") + kLevelKey + "}\""));
    }
}
