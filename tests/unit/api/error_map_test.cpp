#include "api/error_map.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "api/errors.hpp"

namespace iotsky::api {
namespace json = boost::json;

TEST_SUITE("api.error_map") {
    TEST_CASE("each kind of error has its HTTP status") {
        struct Row {
            Errc code;
            unsigned status;
        };
        const Row rows[] = {
            {Errc::invalid_argument, 400},
            {Errc::unauthenticated, 401},
            {Errc::permission_denied, 403},
            {Errc::not_found, 404},
            {Errc::already_exists, 409},
            {Errc::conflict, 409},
            {Errc::precondition_failed, 412},
            {Errc::limit_exceeded, 409},
            {Errc::unavailable, 503},
            {Errc::unsupported, 501},
            {Errc::corrupt, 500},
            {Errc::io, 500},
            {Errc::internal, 500},
        };
        for (const Row& row : rows) {
            CAPTURE(to_string(row.code));
            const Error error = make_error(row.code, "E2199", "what", "why", "how");
            CHECK(http_status(error) == row.status);
            Request request;
            request.path = "/api/v1/things";
            request.request_id = "r1";
            const Response response = problem(error, request);
            CHECK(response.status == row.status);
            CHECK(response.content_type == "application/problem+json");
            const json::object body = json::parse(response.body).as_object();
            CHECK(body.at("type") == "/help/E2199");
            CHECK(body.at("status").as_int64() == row.status);
            CHECK(body.at("title").as_string().size() > 1);
            CHECK(body.at("detail") == "what");
            CHECK(body.at("why") == "why");
            CHECK(body.at("hint") == "how");
            CHECK(body.at("code") == "E2199");
            CHECK(body.at("instance") == "/api/v1/things");
            CHECK(body.at("request_id") == "r1");
            CHECK_FALSE(body.contains("errors"));
        }
    }

    TEST_CASE("errors for which HTTP has a word of its own use it") {
        CHECK(http_status(method_not_allowed("PUT", "GET")) == 405);
        CHECK(http_status(too_slow(10)) == 408);
        CHECK(http_status(bad_ticket()) == 410);
        CHECK(http_status(body_too_long(1)) == 413);
        CHECK(http_status(wrong_content_type("a", "b")) == 415);
        CHECK(http_status(wrong_host("x")) == 421);
        CHECK(http_status(header_too_long(1)) == 431);
    }

    TEST_CASE("wrong fields are listed with their pointers") {
        const Response response =
            problem(wrong_fields({{"/name", "is missing"}, {"/x", "is not known"}}), Request{});
        const json::array errors = json::parse(response.body).at("errors").as_array();
        REQUIRE(errors.size() == 2);
        CHECK(errors[0].at("pointer") == "/name");
        CHECK(errors[0].at("message") == "is missing");
    }

    TEST_CASE("what is for the log alone does not leave") {
        Error error = own_fault("SELECT secret FROM /var/lib");
        const Response response = problem(error, Request{});
        CHECK(response.body.find("secret") == std::string::npos);
    }

    TEST_CASE("busy answers say when to come back, missing credentials say which") {
        CHECK(problem(too_busy(1), Request{}).headers == Pairs{{"Retry-After", "1"}});
        CHECK(problem(no_credentials(), Request{}).headers ==
              Pairs{{"WWW-Authenticate", "Bearer realm=\"iotsky\""}});
    }

    TEST_CASE("every error of the HTTP layer says what, why and how") {
        const Error errors[] = {not_json("x", 1, 2),
                                wrong_fields({{"/a", "b"}}),
                                no_such_route("GET", "/"),
                                method_not_allowed("PUT", "GET"),
                                wrong_host("x"),
                                cross_origin("x"),
                                wrong_content_type("x", "y"),
                                body_too_long(1),
                                header_too_long(1),
                                too_slow(1),
                                too_many_connections(1),
                                too_busy(1),
                                no_credentials(),
                                bad_token(),
                                rank_too_low(Rank::student, Rank::admin),
                                unix_peer_refused(),
                                unix_socket_only(),
                                out_of_scope("x"),
                                changed_meanwhile("1", "2"),
                                bad_query("x", "y"),
                                bad_ticket(),
                                not_http("x"),
                                own_fault("x"),
                                broker_silent()};
        for (const Error& error : errors) {
            CAPTURE(error.number);
            CHECK(error.number.starts_with("E41"));
            CHECK_FALSE(error.message.empty());
            CHECK_FALSE(error.why.empty());
            CHECK_FALSE(error.how.empty());
        }
    }
}

}  // namespace iotsky::api
