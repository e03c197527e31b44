#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tests/simulation/log.hpp"

namespace iotsky::simulation {

/// Plays bytes as a sequence of what can happen to a broker: connections come and go, packets
/// whole, cut, damaged or invented, turns of its threads in any order, commits that end, fail or
/// are cut off by a crash, clients that take nothing, time.
///
/// After each turn holds: everything sent is a packet that a server may send; CONNACK is the first;
/// an answer has its question; no Packet Identifier names a second message while the first is on
/// its way; no packet that promises something has left before the disk has it; queues are within
/// their limits. At the end the broker comes to rest, and nothing of a connection is left.
///
/// @return  Empty, or what did not hold.
/// Deterministic. Any input is a sequence; what follows the first 4096 bytes is not read.
[[nodiscard]] std::string play_sequence(std::span<const std::uint8_t> input,
                                        LogFault fault = LogFault::none);

}  // namespace iotsky::simulation
