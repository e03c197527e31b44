#pragma once

#include <span>
#include <string>

#include "api/caller.hpp"
#include "api/route.hpp"

namespace iotsky::provisioning {
class Registry;
}

namespace iotsky::api {

/// Every route of this program, for the server and for the OpenAPI document. Thread: any.
[[nodiscard]] std::span<const Route> route_table();

/// Tokens of the registry, for ServerParts. `registry` must outlive the result.
[[nodiscard]] TokenLookup token_lookup(provisioning::Registry& registry);

}  // namespace iotsky::api
