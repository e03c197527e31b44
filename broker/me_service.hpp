#pragma once

#include <memory>

#include "broker/service.hpp"

namespace iotsky::broker {

/// `$me/time` and `$me/info`, answered on subscribe (product journeys): a device gets the time
/// without NTP, and who it is. Stateless; any io thread.
[[nodiscard]] std::unique_ptr<Service> make_me_service();

}  // namespace iotsky::broker
