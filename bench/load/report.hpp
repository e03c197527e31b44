#pragma once

#include <string>

#include "bench/load/latency.hpp"
#include "bench/load/options.hpp"

namespace iotsky::load {

/// What one run showed; the figures of a scenario that has no such thing are 0.
struct Report {
    double seconds = 0;
    std::uint64_t done = 0;  ///< deliveries, or connections, in the measured time
    std::uint64_t lost = 0;
    std::uint64_t out_of_order = 0;
    std::uint64_t resumed = 0;
    std::uint64_t unacknowledged = 0;  ///< above QoS 0
    Latency latency;
    Latency acknowledgement;  ///< above QoS 0: to PUBACK or PUBCOMP
    double broker_cpu_us = 0;
    double own_cpu_us = 0;
    std::uint64_t rss_bytes = 0;       ///< of the broker at the end
    double idle_bytes_per_client = 0;  ///< connect: growth of that by all connections
};

/// One JSON line.
[[nodiscard]] std::string to_json(const Options& options, const Report& report);

[[nodiscard]] Report run_traffic(const Options& options);
[[nodiscard]] Report run_connect(const Options& options);

}  // namespace iotsky::load
