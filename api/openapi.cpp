#include "api/openapi.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>

#include "base/text.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

json::object string_schema() {
    return {{"type", "string"}};
}

json::object fields_schema(std::span<const Field> fields);

json::object type_schema(const Field& field) {
    switch (field.type) {
        case FieldType::text:
            return string_schema();
        case FieldType::text_or_null:
            return {{"type", json::array{"string", "null"}}};
        case FieldType::date:
            return {{"type", "string"}, {"format", "date"}};
        case FieldType::date_or_null:
            return {{"type", json::array{"string", "null"}}, {"format", "date"}};
        case FieldType::integer:
            return {{"type", "integer"}};
        case FieldType::boolean:
            return {{"type", "boolean"}};
        case FieldType::object:
            return field.nested.empty() ? json::object{{"type", "object"}}
                                        : fields_schema(field.nested);
        case FieldType::text_list:
            return {{"type", "array"}, {"items", string_schema()}};
        case FieldType::text_map:
            return {{"type", "object"}, {"additionalProperties", string_schema()}};
        case FieldType::document:
            return {{"type", json::array{"object", "string"}}};
    }
    return {};
}

json::object fields_schema(std::span<const Field> fields) {
    json::object properties;
    json::array required;
    for (const Field& field : fields) {
        json::object schema = type_schema(field);
        if (!field.about.empty()) {
            schema["description"] = field.about;
        }
        properties[field.name] = std::move(schema);
        if (field.presence == Presence::required) {
            required.emplace_back(field.name);
        }
    }
    json::object out{
        {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    if (!required.empty()) {
        out["required"] = std::move(required);
    }
    return out;
}

json::object query_schema(const QueryField& field) {
    switch (field.type) {
        case QueryType::flag:
            return {{"type", "boolean"}};
        case QueryType::number:
            return {{"type", "integer"}, {"minimum", field.min}, {"maximum", field.max}};
        case QueryType::text:
            break;
    }
    return string_schema();
}

/// The {names} of a pattern.
std::vector<std::string> names_of(std::string_view pattern) {
    std::vector<std::string> names;
    for (std::size_t at = pattern.find('{'); at != std::string_view::npos;
         at = pattern.find('{', at + 1)) {
        names.emplace_back(pattern.substr(at + 1, pattern.find('}', at) - at - 1));
    }
    return names;
}

json::array parameters_of(const Route& route) {
    json::array out;
    for (const std::string& name : names_of(route.pattern)) {
        out.push_back(json::object{
            {"name", name}, {"in", "path"}, {"required", true}, {"schema", string_schema()}});
    }
    for (const QueryField& field : route.query) {
        out.push_back(json::object{{"name", field.name},
                                   {"in", "query"},
                                   {"description", field.about},
                                   {"schema", query_schema(field)}});
    }
    return out;
}

/// "post_things_thing_bundle".
std::string operation_id(const Route& route) {
    std::string id;
    std::ranges::transform(to_string(route.method), std::back_inserter(id),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string_view rest = route.pattern;
    if (rest.starts_with("/api/v1")) {
        rest.remove_prefix(7);
    } else {
        id += "_root";
    }
    for (const char c : rest) {
        const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (plain || (id.back() != '_' && c != '}')) {
            id += plain ? c : '_';
        }
    }
    return id;
}

std::string_view tag_of(const Route& route) {
    const auto parts = split(route.pattern, '/');
    const std::string_view part = parts.size() > 3 ? parts[3] : parts.back();
    return part.substr(0, part.find(':'));
}

json::object content(std::string_view type, json::object schema) {
    return {{type, json::object{{"schema", std::move(schema)}}}};
}

json::object answer_schema(const Route& route) {
    return route.answers == "application/json" ? json::object{{"type", "object"}} : string_schema();
}

json::object request_body(const Route& route) {
    const bool csv = route.body == BodyKind::csv;
    const bool required = csv || std::ranges::any_of(route.fields, [](const Field& field) {
                              return field.presence == Presence::required;
                          });
    return {{"required", required},
            {"content", csv ? content("text/csv", string_schema())
                            : content("application/json", fields_schema(route.fields))}};
}

std::string needs_of(const Route& route) {
    switch (route.door) {
        case Door::open:
            return "Needs no credentials.";
        case Door::local_open:
            return "Needs no credentials on this machine, else the role " +
                   std::string{to_string(route.needs)} + ".";
        case Door::unix_only:
            return "Needs the role " + std::string{to_string(route.needs)} +
                   ", over the unix socket alone.";
        case Door::credentials:
            break;
    }
    return "Needs the role " + std::string{to_string(route.needs)} + ".";
}

json::object operation_of(const Route& route) {
    json::object problem{
        {"description", "Refused or failed."},
        {"content", content("application/problem+json",
                            json::object{{"$ref", "#/components/schemas/Problem"}})}};
    json::object done{{"description", "Done."},
                      {"content", content(route.answers, answer_schema(route))}};
    json::object out{
        {"operationId", operation_id(route)},
        {"summary", route.summary},
        {"description", needs_of(route)},
        {"tags", json::array{tag_of(route)}},
        {"parameters", parameters_of(route)},
        {"responses",
         json::object{{std::to_string(route.success), std::move(done)}, {"default", problem}}},
    };
    if (route.body != BodyKind::none) {
        out["requestBody"] = request_body(route);
    }
    if (route.door == Door::open) {
        out["security"] = json::array{};
    }
    return out;
}

json::object problem_schema() {
    const json::object text = string_schema();
    return {{"type", "object"},
            {"properties",
             json::object{{"type", text},
                          {"title", text},
                          {"status", json::object{{"type", "integer"}}},
                          {"detail", text},
                          {"instance", text},
                          {"code", text},
                          {"why", text},
                          {"hint", text},
                          {"request_id", text},
                          {"errors", json::object{{"type", "array"},
                                                  {"items", json::object{{"type", "object"}}}}}}},
            {"required", json::array{"type", "title", "status", "detail", "code"}}};
}

}  // namespace

std::string openapi_document(std::span<const Route> table, std::string_view version) {
    json::object paths;
    for (const Route& route : table) {
        json::value& path = paths[route.pattern];
        if (path.is_null()) {
            path = json::object{};
        }
        std::string method;
        std::ranges::transform(to_string(route.method), std::back_inserter(method),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        path.get_object()[method] = operation_of(route);
    }
    json::object components{
        {"schemas", json::object{{"Problem", problem_schema()}}},
        {"securitySchemes",
         json::object{{"bearer", json::object{{"type", "http"}, {"scheme", "bearer"}}}}}};
    return json::serialize(
        json::object{{"openapi", "3.1.0"},
                     {"info", json::object{{"title", "iotsky"},
                                           {"version", version},
                                           {"description",
                                            "Things, certificates and rights of an iotsky "
                                            "broker. See docs/http-api.md."}}},
                     {"servers", json::array{json::object{{"url", "/"}}}},
                     {"security", json::array{json::object{{"bearer", json::array{}}}}},
                     {"paths", std::move(paths)},
                     {"components", std::move(components)}});
}

}  // namespace iotsky::api
