#pragma once

// Internal to api/: this header has Boost.JSON in it.

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/request.hpp"
#include "api/route.hpp"
#include "base/error.hpp"
#include "provisioning/date.hpp"

namespace iotsky::api {

/// A JSON body that fits its route's fields; so the getters need no errors. Getters of fields that
/// may be missing give nullopt (or an empty list) for them.
class Body {
  public:
    explicit Body(boost::json::object object) : object_(std::move(object)) {}

    [[nodiscard]] bool has(std::string_view name) const { return object_.contains(name); }
    /// A required text, or an optional one with a default.
    [[nodiscard]] std::string text(std::string_view name, std::string_view fallback = {}) const;
    [[nodiscard]] std::optional<std::string> optional_text(std::string_view name) const;
    /// Outer nullopt: missing; inner nullopt: null.
    [[nodiscard]] std::optional<std::optional<std::string>> nullable_text(
        std::string_view name) const;
    [[nodiscard]] std::optional<provisioning::Date> date(std::string_view name) const;
    [[nodiscard]] std::optional<std::optional<provisioning::Date>> nullable_date(
        std::string_view name) const;
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
    [[nodiscard]] std::optional<bool> boolean(std::string_view name) const;
    [[nodiscard]] bool flag(std::string_view name) const { return boolean(name).value_or(false); }
    [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> map(std::string_view name) const;
    /// An inner object; empty when missing.
    [[nodiscard]] Body object(std::string_view name) const;
    /// A FieldType::document: its own text when it was given as text, else as compact JSON.
    [[nodiscard]] std::string document(std::string_view name) const;

  private:
    boost::json::object object_;
};

/// Reads the body of a request and checks it against its route's table. An empty body is an object
/// without fields. Errors: E4101 with line and column, E4104 with every wrong field.
[[nodiscard]] Result<Body> decode_body(const Request& request);

}  // namespace iotsky::api
