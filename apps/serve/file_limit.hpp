#pragma once

#include <cstddef>
#include <optional>

#include "base/error.hpp"

namespace iotsky::apps {

/// Lets this process hold as many open files as `connections_max` connections of MQTT and
/// `requests_max` of the API need beside its own: the soft limit goes up to the hard one, and the
/// hard one too where that is allowed.
/// @return W1108 when that was not enough; clients beyond it would be closed at once.
/// Thread: control, before the listeners open.
[[nodiscard]] std::optional<Error> raise_file_limit(std::size_t connections_max,
                                                    std::size_t requests_max);

}  // namespace iotsky::apps
