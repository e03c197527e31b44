#include "provisioning/json_fields.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace iotsky::provisioning {

namespace json = boost::json;

namespace {

constexpr unsigned kDepthMax = 16;

Error not_json(std::string_view why) {
    return make_error(Errc::invalid_argument, "E4101", "The event is not a JSON object.",
                      std::string{why}, "See docs/provisioning.md for the form of events.");
}

}  // namespace

Fields::Fields(json::object object, std::string pointer)
    : object_(std::move(object)), pointer_(std::move(pointer)) {}

Result<Fields> Fields::parse(std::string_view text) {
    json::parse_options options;
    options.max_depth = kDepthMax;
    boost::system::error_code error;
    json::value value = json::parse(text, error, {}, options);
    if (error) {
        return not_json(error.message() + ".");
    }
    if (!value.is_object()) {
        return not_json("It is some other JSON value.");
    }
    return Fields(std::move(value.get_object()), "");
}

const json::value* Fields::member(std::string_view name) {
    read_.emplace(name);
    const json::value* found = object_.if_contains(name);
    return found == nullptr || found->is_null() ? nullptr : found;
}

void Fields::wrong(std::string_view name, std::string_view message) {
    faults_.push_back({pointer_ + "/" + std::string{name}, std::string{message}});
}

std::string Fields::text(std::string_view name, std::string_view fallback) {
    return optional_text(name).value_or(std::string{fallback});
}

std::optional<std::string> Fields::optional_text(std::string_view name) {
    const json::value* value = member(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_string()) {
        wrong(name, "is not text");
        return std::nullopt;
    }
    return std::string{value->get_string()};
}

std::vector<std::string> Fields::texts(std::string_view name) {
    std::vector<std::string> values;
    const json::value* value = member(name);
    if (value == nullptr) {
        return values;
    }
    if (!value->is_array()) {
        wrong(name, "is not a list of texts");
        return values;
    }
    for (const json::value& item : value->get_array()) {
        if (!item.is_string()) {
            wrong(name, "is not a list of texts");
            return {};
        }
        values.emplace_back(item.get_string());
    }
    return values;
}

Attributes Fields::attributes(std::string_view name) {
    Attributes attributes;
    const json::value* value = member(name);
    if (value == nullptr) {
        return attributes;
    }
    if (!value->is_object()) {
        wrong(name, "is not an object of texts");
        return attributes;
    }
    for (const auto& [key, item] : value->get_object()) {
        if (!item.is_string()) {
            wrong(name, "is not an object of texts");
            return {};
        }
        attributes.emplace_back(key, item.get_string());
    }
    std::sort(attributes.begin(), attributes.end());
    return attributes;
}

std::optional<Id> Fields::id(std::string_view name, std::string_view prefix) {
    const auto value = optional_text(name);
    if (!value) {
        return std::nullopt;
    }
    const auto id = Id::parse(prefix, *value);
    if (!id) {
        wrong(name, "is not an id (" + std::string{prefix} + "_...)");
    }
    return id;
}

Fields* Fields::object(std::string_view name) {
    const json::value* value = member(name);
    if (value == nullptr) {
        return nullptr;
    }
    if (!value->is_object()) {
        wrong(name, "is not an object");
        return nullptr;
    }
    auto& inner = inner_[std::string{name}];
    inner.reset(new Fields(value->get_object(), pointer_ + "/" + std::string{name}));
    return inner.get();
}

void Fields::ignore(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        read_.emplace(name);
    }
}

void Fields::collect(std::vector<FieldError>& faults) {
    for (const auto& [key, value] : object_) {
        if (!read_.contains(std::string_view{key})) {
            wrong(key, "is not known here");
        }
    }
    faults.insert(faults.end(), faults_.begin(), faults_.end());
    for (const auto& [name, inner] : inner_) {
        inner->collect(faults);
    }
}

Result<void> Fields::finish() {
    std::vector<FieldError> faults;
    collect(faults);
    if (faults.empty()) {
        return {};
    }
    Error error = make_error(Errc::invalid_argument, "E4104",
                             faults[0].pointer + " " + faults[0].message + ".",
                             "What is not understood is refused, never ignored.",
                             "See docs/provisioning.md for the form of events.");
    error.fields = std::move(faults);
    return error;
}

}  // namespace iotsky::provisioning
