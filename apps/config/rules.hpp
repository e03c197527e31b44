#pragma once

#include <vector>

#include "apps/config/load.hpp"
#include "base/error.hpp"

namespace iotsky::apps {

/// What keys mean together. Thread: any (pure).
///
/// @return Warnings (W1147 plain MQTT beyond loopback, W1148 nobody can connect, W1149 no way in
/// for the API) to be
///         shown at start. Errors: E1155, naming the keys, all of them in `fields`.
[[nodiscard]] Result<std::vector<Error>> check_rules(const Loaded& loaded);

}  // namespace iotsky::apps
