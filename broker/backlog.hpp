#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "broker/message.hpp"
#include "broker/queue_page.hpp"

namespace iotsky::broker {

/// The part of a session's queue that only the disk holds (`dataplane.md` 2.7): per source the
/// numbers from the first that was not taken into memory to the last that arrived. Memory holds
/// what lies below, the mailbox what lies above; while there is a backlog every arrival joins it.
/// Confined to the session's home thread.
struct Backlog {
    std::vector<MidRange> ranges;    ///< one per source; none is empty
    std::size_t bytes = 0;           ///< what it holds counts for
    bool in_flight = false;          ///< what was sent is on disk alone, too
    bool fetching = false;           ///< that is on its way
    bool trimming = false;           ///< the queue is above its quota; the oldest go first
    std::size_t trim_bytes = 0;      ///< what it gives up because others fill a quota, too
    Quota trim_quota = Quota::none;  ///< that one
    std::uint64_t reading = 0;       ///< number of the page that is on its way; 0: none

    [[nodiscard]] bool holds(Mid mid) const noexcept {
        return std::any_of(ranges.begin(), ranges.end(),
                           [&](const MidRange& range) { return range.holds(mid); });
    }
    /// From now on the disk alone holds `mid`, and what lies between it and the rest of its source.
    /// False when that is more than before at the lower end: memory may hold some of it.
    bool hold(ThreadId source, Mid mid) {
        const auto at = std::find_if(ranges.begin(), ranges.end(),
                                     [&](const MidRange& range) { return range.source == source; });
        if (at == ranges.end()) {
            ranges.push_back({source, mid, mid});
            return false;
        }
        const bool above = mid >= at->first;
        at->first = std::min(at->first, mid);
        at->last = std::max(at->last, mid);
        return above;
    }
    /// Of what a page was asked for, everything up to `to` is in memory or gone. What arrived
    /// since then stays.
    void took(const std::vector<MidRange>& asked, Mid to) {
        for (const MidRange& part : asked) {
            for (MidRange& range : ranges) {
                if (range.source == part.source) {
                    range.first = std::max(range.first, std::min(to, part.last) + 1);
                }
            }
        }
        std::erase_if(ranges, [](const MidRange& range) { return range.empty(); });
    }
};

}  // namespace iotsky::broker
