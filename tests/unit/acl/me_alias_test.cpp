#include "acl/me_alias.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace iotsky::acl;
using Filters = std::vector<std::string>;

namespace {
const MeAlias kThing{"7b/otter/weather", "$iotsky/things/th_1"};
const MeAlias kClassless{"", "$iotsky/things/th_2"};
const MeAlias kNobody{};
}  // namespace

TEST_SUITE("acl.me_alias") {
    TEST_CASE("$me is the own tree") {
        CHECK(kThing.expand_topic("$me/temp") == "7b/otter/weather/temp");
        CHECK(kThing.expand_topic("$me/a/b") == "7b/otter/weather/a/b");
        CHECK(kThing.expand_topic("$me") == "7b/otter/weather");
        CHECK(kThing.expand_topic("$me/") == "7b/otter/weather/");
        CHECK(kThing.expand_topic("$me//notice") == "7b/otter/weather//notice");
    }

    TEST_CASE("names that only look like the alias stay as they are") {
        for (const char* topic : {"$mex/a", "me/a", "a/$me/b", "$ME/a", "$m", ""}) {
            CAPTURE(topic);
            CHECK(kThing.expand_topic(topic) == std::string(topic));
            CHECK(kThing.expand_filter(topic) == Filters{topic});
        }
    }

    TEST_CASE("reserved names are the broker's, with all that is below them") {
        CHECK(kThing.expand_topic("$me/notice") == "$iotsky/things/th_1/notice");
        CHECK(kThing.expand_topic("$me/time") == "$iotsky/things/th_1/time");
        CHECK(kThing.expand_topic("$me/info") == "$iotsky/things/th_1/info");
        CHECK(kThing.expand_topic("$me/cert/renew") == "$iotsky/things/th_1/cert/renew");
        CHECK(kThing.expand_topic("$me/notice/x") == "$iotsky/things/th_1/notice/x");
        CHECK(kThing.expand_topic("$me/notices") == "7b/otter/weather/notices");
        CHECK(kThing.expand_filter("$me/cert/#") == Filters{"$iotsky/things/th_1/cert/#"});
    }

    TEST_CASE("a filter whose first level is a wildcard reaches both trees") {
        CHECK(kThing.expand_filter("$me/#") ==
              Filters{"7b/otter/weather/#", "$iotsky/things/th_1/#"});
        CHECK(kThing.expand_filter("$me/+") ==
              Filters{"7b/otter/weather/+", "$iotsky/things/th_1/+"});
        CHECK(kThing.expand_filter("$me/+/x/#") ==
              Filters{"7b/otter/weather/+/x/#", "$iotsky/things/th_1/+/x/#"});
        CHECK(kThing.expand_filter("$me/a/#") == Filters{"7b/otter/weather/a/#"});
    }

    TEST_CASE("a classless thing has notice, info and time only") {
        CHECK(kClassless.expand_topic("$me/notice") == "$iotsky/things/th_2/notice");
        CHECK(kClassless.expand_topic("$me/info") == "$iotsky/things/th_2/info");
        CHECK(kClassless.expand_topic("$me/time") == "$iotsky/things/th_2/time");
        CHECK_FALSE(kClassless.expand_topic("$me/cert/renew"));
        CHECK_FALSE(kClassless.expand_topic("$me/temp"));
        CHECK_FALSE(kClassless.expand_topic("$me"));
        CHECK(kClassless.expand_filter("$me/#") == Filters{"$iotsky/things/th_2/#"});
    }

    TEST_CASE("without a thing the alias is refused") {
        CHECK_FALSE(kNobody.expand_topic("$me/temp"));
        CHECK_FALSE(kNobody.expand_topic("$me/notice"));
        CHECK_FALSE(kNobody.expand_filter("$me/#"));
        CHECK(kNobody.expand_topic("a/b") == "a/b");
        CHECK_FALSE(kNobody.contract("a/b"));
    }

    TEST_CASE("a name longer than 65,535 bytes after expansion is refused") {
        const std::size_t room = 65'535 - kThing.root.size() - 1;
        CHECK(kThing.expand_topic("$me/" + std::string(room, 'x'))->size() == 65'535);
        CHECK_FALSE(kThing.expand_topic("$me/" + std::string(room + 1, 'x')));
        // The own tree would still fit, the reserved one would not: all or nothing.
        const std::string tail(65'535 - kThing.root.size() - 3, 'x');
        CHECK_FALSE(kThing.expand_filter("$me/+/" + tail));
    }

    TEST_CASE("the way back gives the name that was written") {
        for (const char* topic : {"$me", "$me/", "$me/temp", "$me/a/b", "$me/notice", "$me/time",
                                  "$me/info", "$me/cert/renewed", "$me/noticeboard"}) {
            CAPTURE(topic);
            CHECK(kThing.contract(*kThing.expand_topic(topic)) == topic);
        }
        CHECK(kClassless.contract("$iotsky/things/th_2/notice") == "$me/notice");
    }

    TEST_CASE("nobody can forge a notice: root/notice has no $me name") {
        CHECK_FALSE(kThing.contract("7b/otter/weather/notice"));
        CHECK_FALSE(kThing.contract("7b/otter/weather/cert/renewed"));
        CHECK_FALSE(kThing.contract("7b/otter/weather2/temp"));
        CHECK_FALSE(kThing.contract("7b/otter"));
        CHECK_FALSE(kThing.contract("$iotsky/things/th_1/temp"));
        CHECK_FALSE(kThing.contract("$iotsky/things/th_10/notice"));
    }
}
