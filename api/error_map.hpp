#pragma once

#include "api/request.hpp"
#include "api/response.hpp"
#include "base/error.hpp"

namespace iotsky::api {

/// The HTTP status of an error: by its number where HTTP has a word of its own for it (405, 413
/// ...), else by its kind. Thread: any (pure).
[[nodiscard]] unsigned http_status(const Error& error) noexcept;

/// RFC 9457 problem details: type, title, status, detail, instance, and code, why, hint, errors,
/// request_id. Adds Retry-After to 503, WWW-Authenticate to 401. `Error::detail` never
/// leaves. Thread: any (pure).
[[nodiscard]] Response problem(const Error& error, const Request& request);

}  // namespace iotsky::api
