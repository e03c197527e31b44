#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "provisioning/core.hpp"
#include "provisioning/order.hpp"

/// Orders as JSON: what an event of the chain says and what a step can be started from
/// (docs/provisioning.md). For the .cpp files of this folder only. Never holds a private key.
namespace iotsky::provisioning {

/// The request and everything that was made so far.
[[nodiscard]] boost::json::object order_json(const Order& order);
[[nodiscard]] boost::json::object thing_json(const ThingRecord& thing);
[[nodiscard]] boost::json::object certificate_json(const CertificateRecord& certificate);
[[nodiscard]] boost::json::object rights_json(const Order& order);

/// Notes that a step has happened: an event with the state of the order.
void add_event(Order& order, std::string_view kind);

/// An order as an event describes it; what the event does not hold is drawn anew. Unknown members
/// are refused. Errors: E4101 not JSON, E4104 with the member.
[[nodiscard]] Result<Order> parse_order(std::string_view event_json, Core& core);

}  // namespace iotsky::provisioning
