#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "broker/ids.hpp"

namespace iotsky::broker {

/// Deadlines of connections, 64 ms per tick. An entry is never moved or removed: when it fires, the owner looks at
/// its true deadline and schedules again (so a PUBLISH that extends Keep Alive costs nothing here), and an entry of
/// a connection that is gone carries an old generation. Confined to its thread.
class TimerWheel {
  public:
    static constexpr std::chrono::milliseconds kTick{64};
    explicit TimerWheel(TimePoint now);

    /// Fires at the first advance() whose `now` >= `at` (never early; late by at most one tick and the turn).
    void schedule(ConnRef conn, TimePoint at);
    /// Calls `fire` for each due entry; at most `limit` of them (the rest at the next call).
    std::size_t advance(TimePoint now, std::size_t limit, const std::function<void(ConnRef)>& fire);
    /// When the loop must look again; nullopt if nothing is scheduled.
    [[nodiscard]] std::optional<TimePoint> next() const;

  private:
    struct Entry;
    struct Level;
    std::vector<std::vector<Entry>> slots_;
    TimePoint start_;
    std::uint64_t tick_ = 0;  // first tick not yet fired
    std::size_t count_ = 0;
};

}  // namespace iotsky::broker
