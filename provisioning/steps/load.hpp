#pragma once

#include "base/error.hpp"
#include "provisioning/order.hpp"

/// What a step needs that ran alone, without the steps before it: read from the registry by what
/// the event names.
namespace iotsky::provisioning {

/// Fills in order.thing and order.class_record when they are missing. A service has no thing.
/// Error: E2112.
[[nodiscard]] Result<void> load_thing(Order& order, Reader& reader);

/// Fills in order.certificate when it is missing. Error: E5245.
[[nodiscard]] Result<void> load_certificate(Order& order, Reader& reader);

/// "7b/otter/weather" or "service grader".
[[nodiscard]] std::string subject_of(const Order& order);

}  // namespace iotsky::provisioning
