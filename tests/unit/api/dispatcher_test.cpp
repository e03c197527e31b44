#include "api/dispatcher.hpp"

#include <doctest/doctest.h>

#include <array>
#include <boost/json.hpp>
#include <stdexcept>

#include "api/errors.hpp"
#include "tests/unit/api/installation.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

Result<Response> echo(Services& /*services*/, const Request& request) {
    Response response;
    response.body = json::serialize(json::object{{"caller", request.caller.actor},
                                                 {"rank", to_string(rank_of(request.caller.role))},
                                                 {"body", request.body}});
    return response;
}

Result<Response> refuse(Services& /*services*/, const Request& /*request*/) {
    return make_error(Errc::limit_exceeded, "E2106", "Full.", "Limit 5.", "Delete one.");
}

Result<Response> fail(Services& /*services*/, const Request& /*request*/) {
    throw std::runtime_error("a secret path");
}

constexpr Route row(Method method, std::string_view pattern, Rank needs, Handler handler,
                    BodyKind body = BodyKind::none, Door door = Door::credentials) {
    Route route;
    route.method = method;
    route.pattern = pattern;
    route.needs = needs;
    route.handler = handler;
    route.body = body;
    route.door = door;
    return route;
}

constexpr std::array kTable{
    row(Method::get, "/open", Rank::none, echo, BodyKind::none, Door::open),
    row(Method::get, "/local", Rank::projector, echo, BodyKind::none, Door::local_open),
    row(Method::get, "/projector", Rank::projector, echo),
    row(Method::get, "/student", Rank::student, echo),
    row(Method::get, "/assistant", Rank::assistant, echo),
    row(Method::get, "/teacher", Rank::teacher, echo),
    row(Method::get, "/admin", Rank::admin, echo),
    row(Method::post, "/key", Rank::admin, echo, BodyKind::json, Door::unix_only),
    row(Method::post, "/json", Rank::admin, echo, BodyKind::json),
    row(Method::post, "/csv", Rank::admin, echo, BodyKind::csv),
    row(Method::get, "/refuse", Rank::admin, refuse),
    row(Method::get, "/fail", Rank::admin, fail),
};

constexpr std::array kRoles{Role::projector, Role::student, Role::assistant, Role::teacher,
                            Role::admin};

Result<Caller> lookup(std::string_view token) {
    for (const Role role : kRoles) {
        if (token == to_string(rank_of(role))) {
            return Caller{role, "token:" + std::string{token}, {}, {}};
        }
    }
    return bad_token();
}

struct Fixture {
    Installation installation;  // for its services, which these handlers do not use
    Dispatcher dispatcher{kTable, *installation.services, lookup, installation.guard, {}};
    Head head;
    Peer peer;

    Fixture() {
        head.method = "GET";
        head.host = "localhost";
        peer.local = true;
    }

    Response ask(std::string_view target, std::string body = {}) {
        head.target = target;
        head.has_body = !body.empty();
        Admission admission = dispatcher.admit(head, peer);
        if (admission.refusal) {
            return std::move(*admission.refusal);
        }
        admission.request.body = std::move(body);
        return dispatcher.serve(admission.request);
    }
};

std::string code_of(const Response& response) {
    return json::value_to<std::string>(json::parse(response.body).at("code"));
}

}  // namespace

TEST_SUITE("api.dispatcher") {
    TEST_CASE_FIXTURE(Fixture, "each rank may do what needs it or less, and nothing else") {
        for (const Role role : kRoles) {
            const Rank has = rank_of(role);
            for (const Role other : kRoles) {
                const Rank needs = rank_of(other);
                CAPTURE(to_string(has));
                CAPTURE(to_string(needs));
                const std::string authorization = "Bearer " + std::string{to_string(has)};
                head.authorization = authorization;
                const Response response = ask("/" + std::string{to_string(needs)});
                CHECK(response.status == (has >= needs ? 200 : 403));
                if (has < needs) {
                    CHECK(code_of(response) == "E4117");
                }
            }
        }
    }

    TEST_CASE_FIXTURE(Fixture, "without credentials only open routes answer") {
        CHECK(ask("/open").status == 200);
        CHECK(ask("/local").status == 200);
        const Response response = ask("/projector");
        CHECK(response.status == 401);
        CHECK(code_of(response) == "E4115");
        peer.local = false;
        CHECK(ask("/local").status == 401);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "wrong, empty and malformed credentials are refused, also where open") {
        for (const char* text : {"Bearer nobody", "Bearer ", "Basic YTpi", "bearer"}) {
            CAPTURE(text);
            head.authorization = text;
            CHECK(ask("/admin").status == 401);
            CHECK(ask("/open").status == 401);
        }
    }

    TEST_CASE_FIXTURE(Fixture, "after five wrong tokens an address waits and is told how long") {
        peer.address = "10.20.3.41:50112";
        head.authorization = "Bearer teacher";
        CHECK(ask("/teacher").status == 200);
        head.authorization = "Bearer nobody";
        for (int i = 0; i < 5; ++i) {
            CHECK(ask("/admin").status == 401);
        }
        peer.address = "10.20.3.41:50113";  // another connection of it
        head.authorization = "Bearer admin";
        const Response held = ask("/admin");
        CHECK(held.status == 429);
        CHECK(held.headers == Pairs{{"Retry-After", "1"}});
        CHECK(held.content_type == "application/problem+json");
        CHECK(code_of(held) == "E4119");
        CHECK(held.body.find("1 s") != std::string::npos);

        head.authorization = "Bearer teacher";  // was right before
        CHECK(ask("/teacher").status == 200);
        head.authorization = "";  // brings none
        CHECK(ask("/open").status == 200);
        head.authorization = "Bearer admin";
        peer.address = "10.20.3.42:50112";
        CHECK(ask("/admin").status == 200);
        peer.address = "10.20.3.41:50114";
        installation.clock.advance(std::chrono::seconds{1});
        CHECK(ask("/admin").status == 200);
    }

    TEST_CASE_FIXTURE(Fixture, "a trusted unix peer is admin; another one needs a token") {
        peer.unix_socket = true;
        Response response = ask("/admin");
        CHECK(response.status == 403);
        CHECK(code_of(response) == "E4117");
        peer.trusted = true;
        peer.account = "root";
        response = ask("/admin");
        CHECK(response.status == 200);
        CHECK(json::parse(response.body).at("caller") == "unix:root");
        head.authorization = "Bearer student";
        CHECK(ask("/admin").status == 403);
    }

    TEST_CASE_FIXTURE(Fixture,
                      "a route for the unix socket alone refuses an admin token over TCP") {
        head.method = "POST";
        head.content_type = "application/json";
        head.authorization = "Bearer admin";
        CHECK(ask("/key", "{}").status == 403);
        peer.unix_socket = true;
        CHECK(ask("/key", "{}").status == 200);
    }

    TEST_CASE_FIXTURE(Fixture, "requests under another name or from another page are refused") {
        head.authorization = "Bearer admin";
        head.host = "evil.example";
        CHECK(ask("/admin").status == 421);
        head.host = "localhost";
        head.origin = "http://evil.example";
        CHECK(ask("/admin").status == 403);
        head.origin = "";
        head.sec_fetch_site = "cross-site";
        CHECK(ask("/admin").status == 403);
        head.sec_fetch_site = "";
        head.hosts = 2;
        CHECK(ask("/admin").status == 400);
        head.hosts = 0;
        head.host = "";
        CHECK(ask("/admin").status == 400);
    }

    TEST_CASE_FIXTURE(Fixture, "bodies have the route's type and limit") {
        head.method = "POST";
        head.authorization = "Bearer admin";
        head.content_type = "text/plain";
        CHECK(ask("/json", "{}").status == 415);
        head.content_type = "application/json";
        CHECK(ask("/json", "{}").status == 200);
        CHECK(ask("/csv", "a;b").status == 415);
        head.target = "/json";
        CHECK(dispatcher.admit(head, peer).body_bytes_max == 1024U * 1024U);
        head.target = "/csv";
        head.content_type = "text/csv";
        CHECK(dispatcher.admit(head, peer).body_bytes_max == 5U * 1024U * 1024U);
    }

    TEST_CASE_FIXTURE(Fixture, "unknown paths, methods and parameters have their own errors") {
        head.authorization = "Bearer admin";
        CHECK(code_of(ask("/nowhere")) == "E4105");
        CHECK(code_of(ask("/admin?x=1")) == "E4121");
        head.method = "PUT";
        const Response response = ask("/admin");
        CHECK(response.status == 405);
        CHECK(response.headers == Pairs{{"Allow", "GET"}});
    }

    TEST_CASE_FIXTURE(Fixture, "errors of handlers become problems; exceptions tell nothing") {
        head.authorization = "Bearer admin";
        const Response refused = ask("/refuse");
        CHECK(refused.status == 409);
        CHECK(code_of(refused) == "E2106");
        const Response failed = ask("/fail");
        CHECK(failed.status == 500);
        CHECK(code_of(failed) == "E4125");
        CHECK(failed.body.find("secret") == std::string::npos);
    }

    TEST_CASE_FIXTURE(Fixture, "a valid request id is kept, another one replaced") {
        head.target = "/open";
        head.request_id = "lesson-1";
        CHECK(dispatcher.admit(head, peer).request.request_id == "lesson-1");
        head.request_id = "a\nb";
        CHECK(dispatcher.admit(head, peer).request.request_id.starts_with("rq_"));
    }
}

}  // namespace iotsky::api
