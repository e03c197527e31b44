// Promises about the whole table: every row can be reached, is described, and guards itself.
#include "api/table.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <set>

#include "api/router.hpp"
#include "base/text.hpp"
#include "tests/unit/api/installation.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

/// A path that fits a pattern: "{name}" becomes "x".
std::string sample_path(std::string_view pattern) {
    std::string out;
    for (const std::string_view part : split(pattern.substr(1), '/')) {
        const std::size_t end = part.find('}');
        out += "/" + (end == std::string_view::npos ? std::string{part}
                                                    : "x" + std::string{part.substr(end + 1)});
    }
    return out;
}

std::string lower(std::string_view method) {
    std::string out{method};
    for (char& c : out) {
        c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

}  // namespace

TEST_SUITE("api.table") {
    TEST_CASE("every row is reached by its own path") {
        const Router router{route_table()};
        for (const Route& route : route_table()) {
            CAPTURE(route.pattern);
            CAPTURE(to_string(route.method));
            const auto match = router.find(to_string(route.method), sample_path(route.pattern));
            REQUIRE(match.has_value());
            CHECK(match->route == &route);
            CHECK((route.handler != nullptr));
            CHECK_FALSE(route.summary.empty());
            CHECK(route.summary.find(". ") == std::string_view::npos);
        }
    }

    TEST_CASE(
        "rows keep the rules: no state changes by GET, fields only with a body, open means open") {
        for (const Route& route : route_table()) {
            CAPTURE(route.pattern);
            if (route.method == Method::get || route.method == Method::delete_) {
                CHECK(route.body == BodyKind::none);
            }
            if (route.body != BodyKind::json) {
                CHECK(route.fields.empty());
            }
            CHECK((route.door == Door::open) == (route.needs == Rank::none));
            if (route.door == Door::open) {
                CHECK(route.method == Method::get);
            }
            std::set<std::string_view> names;
            for (const Field& field : route.fields) {
                CHECK(names.insert(field.name).second);
            }
        }
    }

    TEST_CASE_FIXTURE(Installation, "openapi.json is OpenAPI 3.1 and has every row of the table") {
        const Response response = get("/api/v1/openapi.json");
        REQUIRE(response.status == 200);
        const json::object doc = json::parse(response.body).as_object();
        CHECK(doc.at("openapi") == "3.1.0");
        const json::object& paths = doc.at("paths").as_object();
        std::set<std::string> ids;
        std::size_t operations = 0;
        for (const auto& path : paths) {
            operations += path.value().as_object().size();
        }
        CHECK(operations == route_table().size());
        for (const Route& route : route_table()) {
            CAPTURE(route.pattern);
            REQUIRE(paths.contains(route.pattern));
            const json::object& operation =
                paths.at(route.pattern).at(lower(to_string(route.method))).as_object();
            CHECK(ids.insert(json::value_to<std::string>(operation.at("operationId"))).second);
            std::set<std::string> declared;
            for (const json::value& parameter : operation.at("parameters").as_array()) {
                if (parameter.at("in") == "path") {
                    declared.insert("{" + json::value_to<std::string>(parameter.at("name")) + "}");
                }
            }
            for (const std::string& name : declared) {
                CHECK(route.pattern.find(name) != std::string_view::npos);
            }
            CHECK(declared.size() ==
                  static_cast<std::size_t>(std::ranges::count(route.pattern, '{')));
        }
    }

    TEST_CASE_FIXTURE(Installation,
                      "role x route: less than the needed rank is refused, the same is not") {
        REQUIRE(post("/api/v1/classes", R"({"name":"7b"})").status == 201);
        REQUIRE(post("/api/v1/things", R"({"class":"7b","project":"otter","name":"w"})").status ==
                201);
        const std::array<std::pair<Rank, std::string>, 5> callers{{
            {Rank::projector, token(Role::projector, "7b")},
            {Rank::student, token(Role::student, "7b", "otter")},
            {Rank::assistant, token(Role::assistant, "7b")},
            {Rank::teacher, token(Role::teacher, "7b")},
            {Rank::admin, token(Role::admin)},
        }};
        for (const Route& route : route_table()) {
            for (const auto& [rank, token] : callers) {
                CAPTURE(route.pattern);
                CAPTURE(to_string(route.method));
                CAPTURE(to_string(rank));
                const Response response = ask(
                    {.method = std::string{to_string(route.method)},
                     .target = sample_path(route.pattern),
                     .body = route.body == BodyKind::csv    ? "a;b"
                             : route.body == BodyKind::json ? "[]"
                                                            : "",
                     .content_type = route.body == BodyKind::csv ? "text/csv" : "application/json",
                     .token = token});
                const bool open = route.door == Door::open || route.door == Door::local_open;
                const bool refused =
                    response.status == 403 &&
                    response.body.find("\"code\":\"E4117\"") != std::string::npos &&
                    response.body.find("It needs the role") != std::string::npos;
                CHECK(refused == (!open && rank < route.needs));
                CHECK(response.status != 401);
            }
        }
    }

    TEST_CASE_FIXTURE(Installation, "without credentials only open routes answer") {
        for (const Route& route : route_table()) {
            CAPTURE(route.pattern);
            const std::string method{to_string(route.method)};
            const std::string target = sample_path(route.pattern);
            Head head;
            head.method = method;
            head.target = target;
            head.host = "localhost";
            Peer stranger;
            stranger.address = "192.0.2.1:1";
            const Admission admission = dispatcher->admit(head, stranger);
            if (route.door == Door::open) {
                CHECK_FALSE(admission.refusal.has_value());
            } else {
                REQUIRE(admission.refusal.has_value());
                CHECK((admission.refusal->status == 401 || admission.refusal->status == 403));
            }
        }
    }
}

}  // namespace iotsky::api
