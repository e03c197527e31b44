#include "api/router.hpp"

#include <doctest/doctest.h>

#include <array>

namespace iotsky::api {
namespace {

constexpr std::array kQuery{QueryField{"limit", QueryType::number, "", 1, 1000},
                            QueryField{"dry_run", QueryType::flag, ""},
                            QueryField{"q", QueryType::text, ""}};

constexpr Route row(Method method, std::string_view pattern) {
    Route route;
    route.method = method;
    route.pattern = pattern;
    return route;
}

constexpr std::array kTable{
    row(Method::get, "/api/v1/things"),
    row(Method::post, "/api/v1/things"),
    row(Method::get, "/api/v1/things/{thing}"),
    row(Method::post, "/api/v1/policies:check"),
    row(Method::post, "/api/v1/policies/{policy}:attach"),
    row(Method::get, "/api/v1/classes/{class}/students/{student}"),
};

const Route* found(std::string_view method, std::string_view path) {
    const Router router{kTable};
    const auto match = router.find(method, path);
    return match ? match->route : nullptr;
}

}  // namespace

TEST_SUITE("api.router") {
    TEST_CASE("a row is found by method and path") {
        CHECK(found("GET", "/api/v1/things") == &kTable[0]);
        CHECK(found("POST", "/api/v1/things") == &kTable[1]);
        CHECK(found("GET", "/api/v1/things/th_1") == &kTable[2]);
        CHECK(found("POST", "/api/v1/policies:check") == &kTable[3]);
        CHECK(found("POST", "/api/v1/policies/read-board:attach") == &kTable[4]);
    }

    TEST_CASE("names in a pattern take the decoded segments") {
        const Router router{kTable};
        const auto path = router.find("GET", "/api/v1/things/7b%2Fotter%2Fweather");
        REQUIRE(path.has_value());
        CHECK(path->params == Pairs{{"thing", "7b/otter/weather"}});
        const auto two = router.find("GET", "/api/v1/classes/7b/students/otter");
        REQUIRE(two.has_value());
        CHECK(two->params == Pairs{{"class", "7b"}, {"student", "otter"}});
        const auto verb = router.find("POST", "/api/v1/policies/read-board:attach");
        REQUIRE(verb.has_value());
        CHECK(verb->params == Pairs{{"policy", "read-board"}});
        const auto aws = router.find("GET", "/api/v1/things/7b:otter:weather");
        REQUIRE(aws.has_value());
        CHECK(aws->params == Pairs{{"thing", "7b:otter:weather"}});
    }

    TEST_CASE("an unknown path is E4105") {
        const Router router{kTable};
        for (const char* path :
             {"/", "/api/v1/thing", "/api/v1/things/", "/api/v1/things/a/b", "//api/v1/things",
              "/api/v1/things/%0a", "/api/v1/things/%ff", "/api/v1/things/%zz"}) {
            CAPTURE(path);
            const auto match = router.find("GET", path);
            REQUIRE(!match);
            CHECK(match.error().number == "E4105");
        }
    }

    TEST_CASE("a path with other methods is E4106 and says which") {
        const Router router{kTable};
        for (const char* method : {"DELETE", "PUT", "HEAD", "OPTIONS", "get", "X"}) {
            CAPTURE(method);
            const auto match = router.find(method, "/api/v1/things");
            REQUIRE(!match);
            CHECK(match.error().number == "E4106");
        }
        CHECK(router.allowed("/api/v1/things") == "GET, POST");
        CHECK(router.allowed("/nowhere").empty());
    }

    TEST_CASE("a target is split into its path and a decoded query") {
        const auto target = parse_target("/api/v1/retained?filter=7b%2F%23&dry_run&q=a+b");
        REQUIRE(target.has_value());
        CHECK(target->path == "/api/v1/retained");
        CHECK(target->query == Pairs{{"filter", "7b/#"}, {"dry_run", ""}, {"q", "a b"}});
    }

    TEST_CASE("a target that is no path is E4124") {
        for (const char* text :
             {"", "api", "http://x/", "/a b", "/a?q=%c3%28", "/a?x=%0d%0aSet-Cookie", "/%2"}) {
            CAPTURE(text);
            const auto target = parse_target(text);
            REQUIRE(!target);
            CHECK(target.error().number == "E4124");
        }
    }

    TEST_CASE("a query is checked against the route's table") {
        CHECK(check_query(kQuery, {{"limit", "1"}, {"dry_run", "true"}, {"q", "anything"}})
                  .has_value());
        CHECK(check_query(kQuery, {{"limit", "1000"}, {"dry_run", ""}}).has_value());
        for (const Pairs& query : {Pairs{{"limit", "0"}}, Pairs{{"limit", "1001"}},
                                   Pairs{{"limit", "x"}}, Pairs{{"limit", ""}},
                                   Pairs{{"limit", "5x"}}, Pairs{{"limit", "99999999999999999999"}},
                                   Pairs{{"dry_run", "maybe"}}, Pairs{{"dryrun", "true"}}}) {
            CAPTURE(query.front().second);
            const auto checked = check_query(kQuery, query);
            REQUIRE(!checked);
            CHECK(checked.error().number == "E4121");
        }
    }
}

}  // namespace iotsky::api
