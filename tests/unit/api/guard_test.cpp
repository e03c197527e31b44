#include "api/guard.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace iotsky::api {

TEST_SUITE("api.guard") {
    TEST_CASE("hosts that are not ours are refused: DNS rebinding") {
        const std::vector<std::string> names{"iotsky.local"};
        for (const char* host : {"localhost", "127.0.0.1:9880", "127.8.9.1", "[::1]:9880",
                                 "iotsky.local:9880", "IOTSKY.local"}) {
            CAPTURE(host);
            CHECK(check_host(host, names).has_value());
        }
        for (const char* host : {"", "evil.example", "localhost.evil.example", "127.evil.example",
                                 "10.20.0.5", "[::2]", "iotsky.local.evil.example"}) {
            CAPTURE(host);
            const auto checked = check_host(host, names);
            REQUIRE(!checked);
            CHECK(checked.error().number == "E4107");
        }
        CHECK(check_host("10.20.0.5:8443", names, "10.20.0.5").has_value());
        CHECK(check_host("[2001:db8::5]:8443", names, "2001:db8::5").has_value());
        CHECK_FALSE(check_host("10.20.0.6:8443", names, "10.20.0.5").has_value());
        CHECK_FALSE(check_host("", names, "").has_value());
    }

    TEST_CASE("requests of other web pages are refused") {
        CHECK(check_origin({"localhost:9880", "", ""}).has_value());
        CHECK(check_origin({"localhost:9880", "http://localhost:9880", "same-origin"}).has_value());
        CHECK(check_origin({"localhost:9880", "", "none"}).has_value());
        CHECK(check_origin({"a.example:8443", "https://A.example:8443", "", true}).has_value());
        CHECK_FALSE(check_origin({"a.example", "http://a.example", "", true}).has_value());
        const OriginFacts refused[] = {
            {"localhost:9880", "http://evil.example", ""},
            {"localhost:9880", "null", ""},
            {"localhost:9880", "https://localhost:9880", ""},
            {"localhost:9880", "http://localhost:1234", ""},
            {"localhost:9880", "", "cross-site"},
            {"localhost:9880", "", "same-site"},
            {"localhost:9880", "http://localhost:9880", "cross-site"},
        };
        for (const OriginFacts& facts : refused) {
            CAPTURE(facts.origin);
            CAPTURE(facts.sec_fetch_site);
            const auto checked = check_origin(facts);
            REQUIRE(!checked);
            CHECK(checked.error().number == "E4108");
        }
    }

    TEST_CASE("a body must have the type that its route reads") {
        CHECK(check_content_type(BodyKind::json, "application/json", true).has_value());
        CHECK(check_content_type(BodyKind::json, "Application/JSON; charset=utf-8", true)
                  .has_value());
        CHECK(check_content_type(BodyKind::json, "", false).has_value());
        CHECK(check_content_type(BodyKind::csv, "text/csv ;header=present", true).has_value());
        CHECK(check_content_type(BodyKind::none, "text/plain", true).has_value());
        for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded",
                                 "multipart/form-data", "application/jsonp", "text/csv"}) {
            CAPTURE(type);
            const auto checked = check_content_type(BodyKind::json, type, true);
            REQUIRE(!checked);
            CHECK(checked.error().number == "E4109");
        }
    }

    TEST_CASE("request ids are short and plain") {
        CHECK(is_valid_request_id("a-B_9.z"));
        CHECK(is_valid_request_id(std::string(64, 'x')));
        CHECK_FALSE(is_valid_request_id(""));
        CHECK_FALSE(is_valid_request_id(std::string(65, 'x')));
        CHECK_FALSE(is_valid_request_id("a b"));
        CHECK_FALSE(is_valid_request_id("a\r\nX: y"));
    }
}

}  // namespace iotsky::api
