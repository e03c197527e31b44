#include "tests/unit/acl/random_policy.hpp"

#include <array>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace iotsky::acl::test {
namespace {

using Words = std::initializer_list<std::string_view>;

std::string pick(SeededRandom& random, Words words) {
    return std::string(*(words.begin() + random.below(words.size())));
}

std::string quoted_list(SeededRandom& random, std::string (*make)(SeededRandom&)) {
    const std::uint64_t count = random.below(3);
    if (count == 0) {
        return "\"" + make(random) + "\"";
    }
    std::string out = "[\"" + make(random) + "\"";
    for (std::uint64_t i = 0; i < count; ++i) {
        out += ", \"" + make(random) + "\"";
    }
    return out + "]";
}

std::string action(SeededRandom& random) {
    return pick(random, {"iot:Publish", "iot:Subscribe", "iot:Receive", "iot:Connect", "iot:*", "*",
                         "iot:Pub*", "IOT:receive", "iot:Re?eive", "iot:RetainPublish",
                         "iot:GetThingShadow", "iot:*Publish", "iot:List*"});
}

std::string resource_name(SeededRandom& random) {
    std::string out;
    const std::uint64_t parts = 1 + random.below(3);
    for (std::uint64_t i = 0; i < parts; ++i) {
        out += i == 0 || random.below(4) == 0 ? "" : "/";
        out += pick(random, {"a", "b", "c", "*", "a*", "?", "\xc3\xbc", "#", "+", "${iot:ClientId}",
                             "${iot:Thing.ThingName}", "${*}", "$(?)", "${$}me", "a?b",
                             "${aws:SourceIp}", "${iot:Connection.Thing.Attributes[room]}",
                             "${iot:Certificate.Subject.CommonName}",
                             "${iot:Certificate.Subject.OrganizationalUnit.1}"});
    }
    return out;
}

std::string resource(SeededRandom& random) {
    if (random.below(12) == 0) {
        return "*";
    }
    return pick(random,
                {"arn:aws:iot:us-east-1:123456789012:", "arn:aws:iot:*:*:", "arn:aws:iot:::"}) +
           pick(random, {"topic/", "topic/", "topicfilter/", "topicfilter/", "client/", "thing/",
                         "topic*", "*", "topic?ilter/", "*/"}) +
           resource_name(random);
}

std::string text_value(SeededRandom& random) {
    return pick(random, {"a", "b", "A", "a*", "*", "?", "${iot:ClientId}", "a/b", "x", "true",
                         "PersistentConnect", "LastWill", "${iot:Connection.Thing.ThingTypeName}"});
}

std::string number_value(SeededRandom& random) {
    return pick(random, {"1", "2.5", "-3", "1e3", "1795425271", "${iot:ClientId}"});
}

std::string date_value(SeededRandom& random) {
    return pick(random, {"2026-11-23", "2026-11-23T09:14:31Z", "2026-11-23T10:14:31+01:00",
                         "2026-11-23T09:14:30.5Z", "1795425271", "2030-01-01T00:00Z"});
}

std::string network_value(SeededRandom& random) {
    return pick(random, {"10.0.0.0/8", "10.1.2.3", "192.168.0.0/16", "2001:db8::/32", "::1",
                         "0.0.0.0/0", "${aws:SourceIp}", "${iot:ClientId}"});
}

std::string bool_value(SeededRandom& random) {
    return pick(random, {"true", "false", "True"});
}

std::string arn_value(SeededRandom& random) {
    return pick(random, {"arn:aws:iot:*:*:thing/a*", "arn:aws:s3:x:y:b", "arn:*:iot:::thing/?"});
}

struct Family {
    std::vector<std::string_view> operators;
    std::string (*value)(SeededRandom&);
    bool plain_only;
};

const std::vector<Family>& families() {
    static const std::vector<Family> kAll{
        {{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase",
          "StringLike", "StringNotLike"},
         text_value,
         false},
        {{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
          "NumericGreaterThan", "NumericGreaterThanEquals"},
         number_value,
         false},
        {{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
          "DateGreaterThanEquals"},
         date_value,
         false},
        {{"Bool"}, bool_value, false},
        {{"IpAddress", "NotIpAddress"}, network_value, false},
        {{"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"}, arn_value, false},
        {{"Null"}, bool_value, true}};
    return kAll;
}

std::string key(SeededRandom& random) {
    return pick(
        random,
        {"iot:ClientId", "iot:ClientId", "aws:SourceIp", "iot:DomainName",
         "iot:Connection.Thing.ThingName", "iot:Thing.ThingTypeName",
         "iot:Connection.Thing.IsAttached", "iot:Connection.Thing.Attributes[room]",
         "iot:Connection.Thing.Attributes[arn]", "iot:Certificate.Subject.CommonName",
         "iot:Certificate.Subject.OrganizationalUnit.List", "aws:CurrentTime", "aws:EpochTime",
         "iot:ConnectAttributes", "iot:Certificate.Subject.AlternativeName.DNSName"});
}

std::string condition(SeededRandom& random) {
    const Family& family = families()[random.below(families().size())];
    std::string op(family.operators[random.below(family.operators.size())]);
    if (!family.plain_only) {
        op = pick(random, {"", "", "ForAllValues:", "ForAnyValue:"}) + op +
             pick(random, {"", "", "IfExists"});
    }
    return "\"" + op + "\": {\"" + key(random) + "\": " + quoted_list(random, family.value) + "}";
}

std::string statement(SeededRandom& random) {
    std::string out = "{\"Effect\": \"" + pick(random, {"Allow", "Allow", "Allow", "Deny"}) +
                      "\", \"Action\": " + quoted_list(random, action) + ", \"" +
                      pick(random, {"Resource", "Resource", "Resource", "NotResource"}) +
                      "\": " + quoted_list(random, resource);
    if (random.below(3) == 0) {
        out += ", \"Condition\": {" + condition(random) + "}";
    }
    return out + "}";
}

std::optional<std::string> maybe(SeededRandom& random, Words words) {
    return random.below(4) == 0 ? std::nullopt : std::optional(pick(random, words));
}

}  // namespace

std::string random_document(SeededRandom& random) {
    std::string out = R"({"Version": "2012-10-17", "Statement": [)" + statement(random);
    for (std::uint64_t more = random.below(4); more > 0; --more) {
        out += ", " + statement(random);
    }
    return out + "]}";
}

Attributes random_attributes(SeededRandom& random) {
    Attributes a;
    a.client_id = maybe(random, {"a", "b", "*", "?", "a/b", "#", "+", "5", "A"});
    a.source_ip = maybe(random, {"10.1.2.3", "::ffff:10.9.9.9", "2001:db8::7", "192.168.3.4"});
    a.domain_name = maybe(random, {"a", "iot.lan"});
    a.thing_name = maybe(random, {"a", "b", "c", "*"});
    a.thing_type = maybe(random, {"x", "a"});
    if (random.below(2) == 0) {
        a.thing_attributes["room"] = pick(random, {"a", "b", "#", ""});
    }
    if (random.below(2) == 0) {
        a.thing_attributes["arn"] =
            pick(random, {"arn:aws:iot:r:1:thing/a", "arn:aws:iot:r:1:thing/ab", "no arn"});
    }
    if (random.below(3) != 0) {
        a.thing_attached = random.below(2) == 0;
    }
    if (random.below(3) != 0) {
        a.subject.emplace("CommonName", pick(random, {"a", "b", "?"}));
    }
    for (std::uint64_t units = random.below(3); units > 0; --units) {
        a.subject.emplace("OrganizationalUnit", pick(random, {"a", "b", "x"}));
    }
    if (random.below(2) == 0) {
        a.subject_alternative_name.emplace("DNSName", pick(random, {"a", "b"}));
    }
    return a;
}

std::string random_topic(SeededRandom& random) {
    std::string out;
    const std::uint64_t parts = 1 + random.below(3);
    for (std::uint64_t i = 0; i < parts; ++i) {
        out += i == 0 ? "" : "/";
        out +=
            pick(random, {"a", "b", "c", "ab", "\xc3\xbc", "*", "?", "axb", "", "$me", "10.1.2.3"});
    }
    return out.empty() ? "a" : out;
}

std::string random_filter(SeededRandom& random) {
    std::string out;
    const std::uint64_t parts = 1 + random.below(3);
    for (std::uint64_t i = 0; i < parts; ++i) {
        out += i == 0 ? "" : "/";
        out += i + 1 == parts ? pick(random, {"a", "b", "+", "#", "#", "\xc3\xbc"})
                              : pick(random, {"a", "b", "c", "+", "ab"});
    }
    return out;
}

}  // namespace iotsky::acl::test
