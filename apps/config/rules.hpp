#pragma once

#include <vector>

#include "apps/config/load.hpp"
#include "base/error.hpp"

namespace iotsky::apps {

/// What keys mean together. Thread: any (pure).
///
/// @return Warnings (W1107 plain MQTT beyond loopback, W1108 nobody can connect, W1109 no way in
/// for the API) to be
///         shown at start. Errors: E1115, naming the keys, all of them in `fields`; E1119 a
///         protocol that is not served.
[[nodiscard]] Result<std::vector<Error>> check_rules(const Loaded& loaded);

}  // namespace iotsky::apps
