#pragma once

#include <chrono>
#include <string>

namespace iotsky {

/// Monotonic time: deadlines, Keep Alive, expiry. Never jumps with the wall clock.
using TimePoint = std::chrono::steady_clock::time_point;
/// Wall time, UTC: certificates, audit entries, what people read.
using WallTime = std::chrono::system_clock::time_point;

/// Where time comes from, so that tests can choose it. Thread: implementations are any-thread.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimePoint now() const noexcept = 0;
    [[nodiscard]] virtual WallTime wall_now() const noexcept = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
  public:
    [[nodiscard]] TimePoint now() const noexcept override;
    [[nodiscard]] WallTime wall_now() const noexcept override;
};

/// "2026-11-23T09:14:31Z"; with `milliseconds` "2026-11-23T09:14:31.204Z".
[[nodiscard]] std::string format_utc(WallTime time, bool milliseconds = false);

/// Whole seconds since 1970-01-01T00:00:00Z.
[[nodiscard]] std::int64_t to_unix_s(WallTime time) noexcept;
[[nodiscard]] WallTime from_unix_s(std::int64_t seconds) noexcept;

}  // namespace iotsky
