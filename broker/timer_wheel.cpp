#include "broker/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.hpp"

namespace iotsky::broker {

TimerWheel::TimerWheel(TimePoint now) : start_(now) {
    for (Level& level : levels_) {
        level.heads.fill(kNil);
    }
}

TimerWheel::Tick TimerWheel::tick_of(TimePoint at) const noexcept {
    if (at <= start_) {
        return 0;
    }
    // Rounded up: never early.
    const auto whole = (at - start_) / kTick;
    const bool rest = (at - start_) % kTick != TimePoint::duration::zero();
    return std::min(static_cast<Tick>(whole) + (rest ? 1 : 0), kTickMax);
}

void TimerWheel::schedule(ConnRef conn, TimePoint at) {
    std::uint32_t index = free_;
    if (index == kNil) {
        index = static_cast<std::uint32_t>(entries_.size());
        IOTSKY_ASSERT(index != kNil);
        entries_.emplace_back();
    } else {
        free_ = entries_[index].next;
    }
    entries_[index].conn = conn;
    entries_[index].tick = std::max(tick_of(at), tick_);
    place(index);
}

/// An entry lies on the level of the highest group of six bits in which its tick differs from the
/// present one. So on the levels above 0 only slots after the present one are used, and all entries
/// of a level are due before all entries of the level above.
void TimerWheel::place(std::uint32_t index) noexcept {
    Entry& entry = entries_[index];
    const Tick differs = entry.tick ^ tick_;
    const unsigned top = differs == 0 ? 0 : static_cast<unsigned>(std::bit_width(differs) - 1);
    const unsigned level = top / kSlotBits;
    const unsigned slot = (entry.tick >> (level * kSlotBits)) % kSlots;
    entry.next = levels_[level].heads[slot];
    levels_[level].heads[slot] = index;
    levels_[level].used |= std::uint64_t{1} << slot;
}

std::uint32_t TimerWheel::take_slot(unsigned level, unsigned slot) noexcept {
    levels_[level].used &= ~(std::uint64_t{1} << slot);
    return std::exchange(levels_[level].heads[slot], kNil);
}

/// The next tick at which something fires or sinks.
std::optional<TimerWheel::Tick> TimerWheel::next_tick() const noexcept {
    for (unsigned level = 0; level < kLevels; ++level) {
        if (levels_[level].used != 0) {
            const auto slot = static_cast<Tick>(std::countr_zero(levels_[level].used));
            const unsigned above = (level + 1) * kSlotBits;
            return ((tick_ >> above) << above) | (slot << (level * kSlotBits));
        }
    }
    return std::nullopt;
}

/// `tick` is not after next_tick(). Entries of the slots that begin at `tick` sink to their places.
void TimerWheel::move_to(Tick tick) noexcept {
    tick_ = tick;
    for (unsigned level = kLevels - 1; level > 0; --level) {
        const unsigned slot = (tick_ >> (level * kSlotBits)) % kSlots;
        std::uint32_t index = take_slot(level, slot);
        while (index != kNil) {
            const std::uint32_t following = entries_[index].next;
            place(index);
            index = following;
        }
    }
}

/// Fills the empty `due_` from the next slot that is due at `now`; false if there is none.
bool TimerWheel::refill_due(TimePoint now) noexcept {
    if (now < start_) {
        return false;
    }
    const Tick target = std::min(static_cast<Tick>((now - start_) / kTick), kTickMax - 1);
    while (due_ == kNil && tick_ <= target) {
        const Tick next = next_tick().value_or(target + 1);
        if (next > target) {
            move_to(target + 1);
        } else {
            move_to(next);
            due_ = take_slot(0, tick_ % kSlots);
            if (due_ != kNil) {
                move_to(tick_ + 1);
            }
        }
    }
    return due_ != kNil;
}

std::size_t TimerWheel::advance(TimePoint now, std::size_t limit,
                                const std::function<void(ConnRef)>& fire) {
    std::size_t fired = 0;
    while (fired < limit && (due_ != kNil || refill_due(now))) {
        const std::uint32_t index = due_;
        const ConnRef conn = entries_[index].conn;
        due_ = entries_[index].next;
        entries_[index].next = free_;
        free_ = index;
        ++fired;
        fire(conn);
    }
    return fired;
}

std::optional<TimePoint> TimerWheel::next() const {
    if (due_ != kNil) {
        return time_of(tick_ - 1);
    }
    const std::optional<Tick> tick = next_tick();
    return tick ? std::optional(time_of(*tick)) : std::nullopt;
}

}  // namespace iotsky::broker
