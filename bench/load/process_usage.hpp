#pragma once

#include <cstdint>

namespace iotsky::load {

struct ProcessUsage {
    double cpu_us = 0;            ///< user and system time since its start
    std::uint64_t rss_bytes = 0;  ///< resident now
};

/// Of process `pid` by /proc; zeros for pid 0. Throws std::runtime_error when it does not run.
[[nodiscard]] ProcessUsage usage_of(int pid);

/// This process.
[[nodiscard]] int own_pid() noexcept;

}  // namespace iotsky::load
