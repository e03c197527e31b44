#include "api/openapi.hpp"

#include <doctest/doctest.h>

#include <array>
#include <boost/json.hpp>

namespace iotsky::api {
namespace {

namespace json = boost::json;

constexpr std::array kInner{Field{"burst", FieldType::integer, Presence::optional, "messages"}};
constexpr std::array kFields{
    Field{"name", FieldType::text, Presence::required, "1-40 characters"},
    Field{"ends_on", FieldType::date_or_null, Presence::optional, ""},
    Field{"limits", FieldType::object, Presence::optional, "", kInner},
    Field{"policies", FieldType::text_list, Presence::optional, ""},
};
constexpr std::array kQuery{kLimitField, kDryRunField};

constexpr std::array kTable{
    Route{Method::post,
          "/api/v1/classes",
          Rank::admin,
          nullptr,
          "Makes a class",
          BodyKind::json,
          kFields,
          {},
          Door::credentials,
          201,
          "application/json"},
    Route{Method::get,
          "/api/v1/classes",
          Rank::assistant,
          nullptr,
          "Lists classes",
          BodyKind::none,
          {},
          kQuery,
          Door::credentials,
          200,
          "application/json"},
    Route{Method::post,
          "/api/v1/classes/{class}:extend",
          Rank::teacher,
          nullptr,
          "Extends",
          BodyKind::json,
          {},
          {},
          Door::credentials,
          200,
          "application/json"},
    Route{Method::get,
          "/ca.crt",
          Rank::none,
          nullptr,
          "CA",
          BodyKind::none,
          {},
          {},
          Door::open,
          200,
          "application/x-pem-file"},
};

}  // namespace

TEST_SUITE("api.openapi") {
    TEST_CASE("every row of the table is an operation with its schema") {
        const json::object doc = json::parse(openapi_document(kTable, "0.1.0")).as_object();
        CHECK(doc.at("openapi") == "3.1.0");
        CHECK(doc.at("info").at("version") == "0.1.0");
        const json::object& paths = doc.at("paths").as_object();
        CHECK(paths.size() == 3);
        const json::object& create = paths.at("/api/v1/classes").at("post").as_object();
        CHECK(create.at("operationId") == "post_classes");
        CHECK(create.at("responses").as_object().contains("201"));
        CHECK(create.at("requestBody").at("required") == true);
        const json::object& schema =
            create.at("requestBody").at("content").at("application/json").at("schema").as_object();
        CHECK(schema.at("required") == json::array{"name"});
        CHECK(schema.at("additionalProperties") == false);
        CHECK(schema.at("properties").at("ends_on").at("type") == json::array{"string", "null"});
        CHECK(schema.at("properties").at("limits").at("properties").at("burst").at("type") ==
              "integer");
    }

    TEST_CASE("parameters of path and query are declared") {
        const json::object doc = json::parse(openapi_document(kTable, "0.1.0")).as_object();
        const json::array& query =
            doc.at("paths").at("/api/v1/classes").at("get").at("parameters").as_array();
        REQUIRE(query.size() == 2);
        CHECK(query[0].at("name") == "limit");
        CHECK(query[0].at("schema").at("maximum") == 1000);
        const json::object& extend =
            doc.at("paths").at("/api/v1/classes/{class}:extend").at("post").as_object();
        CHECK(extend.at("parameters").at(0).at("name") == "class");
        CHECK(extend.at("parameters").at(0).at("required") == true);
        CHECK(extend.at("operationId") == "post_classes_class_extend");
        CHECK(extend.at("requestBody").at("required") == false);
    }

    TEST_CASE("open routes say that they need no credentials") {
        const json::object doc = json::parse(openapi_document(kTable, "0.1.0")).as_object();
        const json::object& open = doc.at("paths").at("/ca.crt").at("get").as_object();
        CHECK(open.at("security") == json::array{});
        CHECK(open.at("responses")
                  .at("200")
                  .at("content")
                  .as_object()
                  .contains("application/x-pem-file"));
    }
}

}  // namespace iotsky::api
