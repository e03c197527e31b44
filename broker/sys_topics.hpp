#pragma once

#include <memory>
#include <string>

#include "broker/service.hpp"
#include "broker/shared.hpp"

namespace iotsky::broker {

/// `$SYS/broker/...` as retained messages under mosquitto's names, so that existing exporters work;
/// changed values only, every 10 s. Runs on thread 0.
[[nodiscard]] std::unique_ptr<Service> make_sys_topics(const Shared& shared, std::string version,
                                                       TimePoint started);

}  // namespace iotsky::broker
