#include "api/admin/body.hpp"

#include <algorithm>

#include "api/errors.hpp"

namespace iotsky::api {
namespace {

namespace json = boost::json;

bool is_date(const json::value& value) {
    return value.is_string() && provisioning::parse_date(value.get_string()).has_value();
}

bool all_strings(const json::array& list) {
    return std::ranges::all_of(list, [](const json::value& item) { return item.is_string(); });
}

bool all_strings(const json::object& map) {
    return std::ranges::all_of(map, [](const auto& item) { return item.value().is_string(); });
}

/// Empty when the value fits; else what it must be.
std::string_view misfit(FieldType type, const json::value& value) {
    switch (type) {
        case FieldType::text:
            return value.is_string() ? "" : "must be text";
        case FieldType::text_or_null:
            return value.is_string() || value.is_null() ? "" : "must be text or null";
        case FieldType::date:
            return is_date(value) ? "" : "must be a date like \"2027-02-05\"";
        case FieldType::date_or_null:
            return is_date(value) || value.is_null() ? ""
                                                     : "must be a date like \"2027-02-05\" or null";
        case FieldType::integer:
            return value.is_int64() ? "" : "must be a whole number";
        case FieldType::boolean:
            return value.is_bool() ? "" : "must be true or false";
        case FieldType::object:
            return value.is_object() ? "" : "must be an object";
        case FieldType::text_list:
            return value.is_array() && all_strings(value.get_array()) ? ""
                                                                      : "must be a list of texts";
        case FieldType::text_map:
            return value.is_object() && all_strings(value.get_object())
                       ? ""
                       : "must be an object of texts";
        case FieldType::document:
            return value.is_object() || value.is_string() ? ""
                                                          : "must be an object, or text with one";
    }
    return "has an unknown type";
}

/// A JSON pointer's step [RFC 6901].
std::string escape_step(std::string_view name) {
    std::string out;
    for (const char c : name) {
        out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    return out;
}

void check_object(const json::object& object, std::span<const Field> fields, const std::string& at,
                  std::vector<FieldError>& faults) {
    for (const auto& item : object) {
        const auto field = std::ranges::find(fields, std::string_view{item.key()}, &Field::name);
        const std::string pointer = at + "/" + escape_step(item.key());
        if (field == fields.end()) {
            faults.push_back({pointer, "is not known here"});
        } else if (const auto problem = misfit(field->type, item.value()); !problem.empty()) {
            faults.push_back({pointer, std::string{problem}});
        } else if (!field->nested.empty()) {
            check_object(item.value().get_object(), field->nested, pointer, faults);
        }
    }
    for (const Field& field : fields) {
        if (field.presence == Presence::required && !object.contains(field.name)) {
            faults.push_back({at + "/" + std::string{field.name}, "is missing"});
        }
    }
}

Error position_of(std::string_view text, std::size_t offset, std::string_view problem) {
    const std::string_view before = text.substr(0, offset);
    const auto line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
    const std::size_t start = before.rfind('\n');
    const std::size_t column =
        start == std::string_view::npos ? before.size() + 1 : before.size() - start;
    return not_json(problem, line, column);
}

Result<json::object> parse_object(std::string_view text) {
    if (text.empty()) {
        return json::object{};
    }
    json::stream_parser parser;
    boost::system::error_code error;
    const std::size_t read = parser.write_some(text, error);
    if (error) {
        return position_of(text, read, error.message());
    }
    const std::size_t rest = text.find_first_not_of(" \t\r\n", read);
    if (rest != std::string_view::npos) {
        return position_of(text, rest, "something follows the object");
    }
    parser.finish(error);
    if (error) {
        return position_of(text, text.size(), "it ends too early");
    }
    json::value value = parser.release();
    if (!value.is_object()) {
        return position_of(text, 0, "it is no object");
    }
    return std::move(value.get_object());
}

std::string string_of(const json::value& value) {
    return std::string{value.get_string()};
}

}  // namespace

std::string Body::text(std::string_view name, std::string_view fallback) const {
    const json::value* value = object_.if_contains(name);
    return value != nullptr ? string_of(*value) : std::string{fallback};
}

std::optional<std::string> Body::optional_text(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return value != nullptr ? std::optional{string_of(*value)} : std::nullopt;
}

std::optional<std::optional<std::string>> Body::nullable_text(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    return value->is_null() ? std::optional<std::string>{} : std::optional{string_of(*value)};
}

std::optional<provisioning::Date> Body::date(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return value != nullptr ? provisioning::parse_date(value->get_string()) : std::nullopt;
}

std::optional<std::optional<provisioning::Date>> Body::nullable_date(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    return value->is_null() ? std::optional<provisioning::Date>{}
                            : provisioning::parse_date(value->get_string());
}

std::optional<std::int64_t> Body::integer(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return value != nullptr ? std::optional{value->get_int64()} : std::nullopt;
}

std::optional<bool> Body::boolean(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return value != nullptr ? std::optional{value->get_bool()} : std::nullopt;
}

std::vector<std::string> Body::texts(std::string_view name) const {
    std::vector<std::string> out;
    if (const json::value* value = object_.if_contains(name)) {
        for (const json::value& item : value->get_array()) {
            out.push_back(string_of(item));
        }
    }
    return out;
}

std::vector<std::pair<std::string, std::string>> Body::map(std::string_view name) const {
    std::vector<std::pair<std::string, std::string>> out;
    if (const json::value* value = object_.if_contains(name)) {
        for (const auto& item : value->get_object()) {
            out.emplace_back(item.key(), string_of(item.value()));
        }
    }
    std::ranges::sort(out);
    return out;
}

Body Body::object(std::string_view name) const {
    const json::value* value = object_.if_contains(name);
    return Body{value != nullptr ? value->get_object() : json::object{}};
}

std::string Body::document(std::string_view name) const {
    const json::value& value = object_.at(name);
    return value.is_string() ? string_of(value) : json::serialize(value);
}

Result<Body> decode_body(const Request& request) {
    IOTSKY_TRY(object, parse_object(request.body));
    std::vector<FieldError> faults;
    check_object(object, request.route->fields, "", faults);
    if (!faults.empty()) {
        return wrong_fields(std::move(faults));
    }
    return Body{std::move(object)};
}

}  // namespace iotsky::api
