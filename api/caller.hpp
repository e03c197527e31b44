#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/id.hpp"

namespace iotsky::api {

/// What a caller may do, least first; a route names the least rank that it needs. Devices have no
/// rank here.
enum class Rank : std::uint8_t { none, projector, student, assistant, teacher, admin };

[[nodiscard]] std::string_view to_string(Rank rank) noexcept;

/// Who sent a request. `class_id` and `project_id` narrow: the caller may not touch anything else.
struct Caller {
    Rank rank = Rank::none;
    std::string name;  ///< For the audit log and idempotency: "unix:root", "token:laptop", "".
    std::optional<Id> class_id;
    std::optional<Id> project_id;
};

/// Finds the caller of a bearer token. Errors: E4116 unknown, ended or revoked; E53xx.
/// Thread: any; blocks on the registry.
using TokenLookup = std::function<Result<Caller>(std::string_view token)>;

}  // namespace iotsky::api
