#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "broker/ids.hpp"

namespace iotsky::broker {

/// Deadlines of connections, 64 ms per tick. The owner never moves or removes an entry: when it
/// fires, the owner looks at its true deadline and schedules again (so a PUBLISH that extends Keep
/// Alive costs nothing here), and an entry of a connection that is gone carries an old generation.
/// Confined to its thread.
///
/// Six levels of 64 slots, each slot of a level as long as the whole level below; an entry sinks
/// one level at a time, so it is touched at most six times however far its deadline is. Entries lie
/// in one pool as linked lists: schedule() allocates only when there are more entries than ever
/// before.
class TimerWheel {
  public:
    static constexpr std::chrono::milliseconds kTick{64};
    explicit TimerWheel(TimePoint now);

    /// Fires at the first advance() whose `now` >= `at` (never early; late by at most one tick and
    /// the turn). Deadlines beyond a hundred years are cut to that. Cost: O(1).
    void schedule(ConnRef conn, TimePoint at);
    /// Calls `fire` for each due entry; at most `limit` of them (the rest at the next call). `fire`
    /// may schedule; what it schedules waits for a later tick. Returns how many fired.
    std::size_t advance(TimePoint now, std::size_t limit, const std::function<void(ConnRef)>& fire);
    /// When the loop must look again, in the past if entries are due already; nullopt if nothing is
    /// scheduled. A far deadline is announced in steps: nothing may fire at this time.
    [[nodiscard]] std::optional<TimePoint> next() const;

  private:
    using Tick = std::uint64_t;
    static constexpr unsigned kSlotBits = 6;
    static constexpr unsigned kSlots = 1U << kSlotBits;
    static constexpr unsigned kLevels = 6;
    static constexpr Tick kTickMax = (Tick{1} << (kSlotBits * kLevels)) - 1;
    static constexpr std::uint32_t kNil = 0xffffffffU;

    struct Entry {
        ConnRef conn;
        Tick tick = 0;
        std::uint32_t next = kNil;
    };
    struct Level {
        std::uint64_t used = 0;  ///< bit i: slot i is not empty
        std::array<std::uint32_t, kSlots> heads;
    };

    [[nodiscard]] Tick tick_of(TimePoint at) const noexcept;
    [[nodiscard]] TimePoint time_of(Tick tick) const noexcept {
        return start_ + static_cast<std::int64_t>(tick) * kTick;
    }
    [[nodiscard]] std::optional<Tick> next_tick() const noexcept;
    void place(std::uint32_t index) noexcept;
    std::uint32_t take_slot(unsigned level, unsigned slot) noexcept;
    void move_to(Tick tick) noexcept;
    bool refill_due(TimePoint now) noexcept;

    TimePoint start_;
    Tick tick_ = 0;  ///< first tick not yet reached
    std::array<Level, kLevels> levels_;
    std::vector<Entry> entries_;
    std::uint32_t free_ = kNil;
    std::uint32_t due_ = kNil;  ///< entries of ticks before `tick_` that still have to fire
};

}  // namespace iotsky::broker
