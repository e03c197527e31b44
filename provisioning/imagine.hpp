#pragma once

#include "provisioning/order.hpp"

namespace iotsky::provisioning {

/// Puts what the event of an order claims into its transaction, which will be rolled back: the
/// class, and the thing and certificate whose ids the event holds. So a step can be tried alone,
/// without the steps before it.
void imagine(Order& order);

}  // namespace iotsky::provisioning
