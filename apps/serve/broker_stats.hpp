#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "api/broker_admin.hpp"
#include "broker/broker.hpp"

namespace iotsky::net {
class DataPlane;
}

namespace iotsky::apps {

class RefusalBridge;

/// Where the figures come from; all outlive the call.
struct StatsSources {
    const broker::Broker& broker;
    const net::DataPlane& plane;
    const RefusalBridge& refusals;
    /// The protocol of a listener, e.g. "mqtts".
    const std::function<std::string(const std::string& listener)>& listener_protocol;
    std::size_t things_max;  ///< things by name, the busiest ones
};

/// The figures of `GET /metrics` (docs/metrics.md). `connections`: those that are open now.
/// Thread: any.
[[nodiscard]] api::BrokerStats collect_stats(
    const StatsSources& from, const std::vector<broker::ConnectionSummary>& connections);

}  // namespace iotsky::apps
