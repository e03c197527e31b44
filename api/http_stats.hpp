#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/metrics.hpp"
#include "base/thread.hpp"

namespace iotsky::api {

/// Counts of answered requests by route, method and status. Synchronised (docs/threading.md).
class HttpStats {
  public:
    struct Row {
        std::string_view route;  ///< Pattern of the table; "" when no route was found.
        std::string_view method;
        unsigned status = 0;
        std::uint64_t count = 0;
    };

    /// `route` and `method` must live as long as the table does. Thread: control.
    void record(std::string_view route, std::string_view method, unsigned status,
                std::chrono::nanoseconds took);
    /// Thread: any.
    [[nodiscard]] std::vector<Row> rows() const;
    [[nodiscard]] const Histogram& seconds() const noexcept { return seconds_; }

  private:
    using Key = std::tuple<std::string_view, std::string_view, unsigned>;

    mutable Mutex mutex_;
    std::map<Key, std::uint64_t> counts_ IOTSKY_GUARDED_BY(mutex_);
    Histogram seconds_;
};

}  // namespace iotsky::api
