#pragma once

#include <chrono>

#include "base/clock.hpp"

namespace iotsky {

/// Stands still until a test moves it.
class ManualClock final : public Clock {
  public:
    [[nodiscard]] TimePoint now() const noexcept override { return TimePoint{since_}; }
    [[nodiscard]] WallTime wall_now() const noexcept override {
        return from_unix_s(1'795'395'600 - kBegin.count()) + since_;  // 2026-11-23T01:00:00Z
    }
    void advance(std::chrono::seconds by) { since_ += by; }

  private:
    static constexpr std::chrono::seconds kBegin{std::chrono::hours{1000}};
    std::chrono::seconds since_ = kBegin;
};

}  // namespace iotsky
