#pragma once

#include <string>
#include <vector>

#include "apps/config/config.hpp"
#include "base/error.hpp"

namespace iotsky::net {
class DataPlane;
}
namespace iotsky::provisioning {
class Registry;
}

namespace iotsky::apps {

class IdentityBridge;
class RightsBridge;

/// What a changed configuration is handed to while the program runs.
struct Reloadable {
    provisioning::Registry& registry;
    net::DataPlane& plane;
    IdentityBridge& identities;
    RightsBridge& rights;
};

/// Takes over what can change while the program runs: the log, defaults of new classes, limits of
/// listeners, policies for anonymous clients. All of it or, on an error, nothing.
/// @return Keys whose value is the same but whose file says something else now
///         (listener.NAME.anonymous_policy_file). Errors: E1158. Thread: any.
[[nodiscard]] Result<std::vector<std::string>> apply_config(const Config& config,
                                                            const Reloadable& parts);

}  // namespace iotsky::apps
