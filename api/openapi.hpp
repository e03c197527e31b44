#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/route.hpp"

namespace iotsky::api {

/// The OpenAPI 3.1 document of a table: every row an operation, its fields and parameters as
/// schemas. Thread: any (pure).
[[nodiscard]] std::string openapi_document(std::span<const Route> table, std::string_view version);

}  // namespace iotsky::api
