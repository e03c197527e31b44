#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/ids.hpp"

namespace iotsky::broker {

/// One outbound message of a session as the log holds it.
struct StoredMessage {
    enum class State : std::uint8_t {
        queued,
        sent,      ///< PUBLISH was sent
        received,  ///< PUBREC came: topic and payload are gone
    };
    Mid mid = 0;
    std::string topic;
    std::string payload;
    std::uint8_t qos = 0;  ///< delivered QoS, 1 or 2
    Form form = Form::plain;
    bool retain = false;  ///< goes out with RETAIN 1: it came from a replay
    State state = State::queued;
    std::uint16_t packet_id = 0;  ///< not for `queued`
    std::uint64_t order = 0;      ///< n of SENT; not for `queued`
};

/// Messages of one source that only the disk holds, by their numbers, which rise per source.
struct MidRange {
    /// All that was queued before this run began.
    static constexpr ThreadId kEarlierRuns = 0xff;
    ThreadId source = 0;  ///< the io thread that published them
    Mid first = 1;
    Mid last = 0;

    [[nodiscard]] bool empty() const noexcept { return first > last; }
    [[nodiscard]] bool holds(Mid mid) const noexcept {
        return mid >= first && mid <= last &&
               (source == kEarlierRuns || static_cast<ThreadId>(mid & 0xffU) == source);
    }
};

/// What a home thread asks of one session's queue (`dataplane.md` 2.7).
struct QueueRead {
    Sid sid = 0;
    BatchNo batch = 0;       ///< the answer knows everything up to it
    bool in_flight = false;  ///< what was sent, too
    std::vector<MidRange> ranges;
    std::size_t messages_max = 0;  ///< of the queued ones; the last one's other form comes with it
    std::size_t bytes_max = 0;
};

struct QueuePage {
    std::vector<StoredMessage> in_flight;  ///< by order
    std::vector<StoredMessage> queued;     ///< by number
    /// Whatever is queued in the ranges up to this number is in `queued`.
    Mid read_to = 0;
};

/// What a queued message counts for: topic, payload and what is kept about it.
[[nodiscard]] constexpr std::size_t queue_cost(std::size_t topic_bytes,
                                               std::size_t payload_bytes) noexcept {
    return 64 + topic_bytes + payload_bytes;
}

/// A session's queue as a whole.
struct QueueSize {
    std::uint64_t messages = 0;  ///< in flight included
    std::uint64_t bytes = 0;     ///< queue_cost of those whose PUBLISH may still be sent
};

}  // namespace iotsky::broker
