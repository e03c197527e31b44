#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/error.hpp"
#include "provisioning/caller.hpp"

namespace iotsky::api {

using provisioning::Caller;
using provisioning::Role;

/// How much a role may do, least first; a route names the least rank that it needs. Whether the
/// caller's class and project fit is the registry's to decide. Devices have no rank here.
enum class Rank : std::uint8_t { none, projector, student, assistant, teacher, admin };

[[nodiscard]] std::string_view to_string(Rank rank) noexcept;
[[nodiscard]] Rank rank_of(Role role) noexcept;

/// Finds the caller of a bearer token. Errors: E4116 unknown, ended or revoked; E53xx.
/// Thread: any; blocks on the registry.
using TokenLookup = std::function<Result<Caller>(std::string_view token)>;

}  // namespace iotsky::api
