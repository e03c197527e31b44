#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acl/auth_context.hpp"

namespace iotsky::acl {

/// Where the value of a variable or condition key comes from.
enum class Field : std::uint8_t {
    client_id,
    source_ip,
    domain_name,
    thing_name,
    thing_type,
    thing_attached,
    thing_attribute,
    subject,
    issuer,
    subject_alternative_name,
    issuer_alternative_name,
    certificate_serial,
    certificate_id,
    current_time,  ///< With each request, as the two below: condition keys only.
    epoch_time,
    connect_attributes,
};

/// `${iot:Certificate.Subject.CommonName.1}` and the like; also a condition key.
struct Variable {
    Field field = Field::client_id;
    std::string detail;     ///< Attribute name, or field of the certificate.
    std::size_t index = 0;  ///< Which of several values, from 0.
    bool list = false;      ///< All values; condition keys only.
    std::string name;       ///< As written.
};

/// Letter case does not matter but for attribute names; `iot:Thing.X` is `iot:Connection.Thing.X`.
[[nodiscard]] std::optional<Variable> parse_variable(std::string_view name);

/// The known name closest to `name`, empty if none is close.
[[nodiscard]] std::string nearest_variable(std::string_view name);

/// Whether the value comes with each request instead of the connection.
[[nodiscard]] bool is_per_request(Field field) noexcept;

/// The values that the connection has for it; none when it has no value. Addresses come in the form
/// of `normal_address`.
[[nodiscard]] std::vector<std::string> values_of(const Variable& variable,
                                                 const Attributes& attributes);

}  // namespace iotsky::acl
