#pragma once

#include <span>
#include <utility>

#include "broker/durable_log.hpp"
#include "tests/simulation/log.hpp"

namespace iotsky::simulation {

/// A chunk without what `fault` makes late, and that alone.
[[nodiscard]] std::pair<broker::RecordChunk, broker::RecordChunk> take_late(
    const broker::RecordChunk& chunk, LogFault fault);

}  // namespace iotsky::simulation
