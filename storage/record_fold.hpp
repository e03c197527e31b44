#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/siphash.hpp"
#include "broker/records.hpp"

/// What a batch of records comes to, before any of it touches a disk (`dataplane.md` 2.4): a
/// message that all its receivers acknowledged inside the batch is not in it, the last SUBSCRIBE of
/// a filter wins, the end of a session cancels everything of it.
namespace iotsky::storage {

/// A reference of one session to one message.
struct QueueKey {
    broker::Sid sid = 0;
    broker::Mid mid = 0;
    broker::Form form = broker::Form::plain;
    friend bool operator==(const QueueKey&, const QueueKey&) = default;
};

/// A new row of `queue`, as it is at the end of the batch.
struct FoldedRow {
    QueueKey key;
    std::uint8_t qos = 0;
    broker::StoredMessage::State state = broker::StoredMessage::State::queued;
    std::uint16_t packet_id = 0;
    std::uint64_t order = 0;
    std::uint64_t bytes = 0;  ///< what it counts for in its session's quota
};

/// A new row of `messages` and the rows of `queue` that refer to it: `refs` of them still need it.
/// refs 0: no row of `messages` (all receivers have it; QoS 2 ones may still wait for PUBCOMP).
struct FoldedMessage {
    broker::Mid mid = 0;
    bool replay = false;
    std::string_view topic;
    std::span<const std::byte> payload;
    std::size_t first_row = 0;  ///< in FoldedBatch::rows
    std::size_t row_count = 0;
    std::size_t refs = 0;
};

/// What became of a row of `queue` that an earlier batch wrote.
struct RowChange {
    QueueKey key;
    bool sent = false;      ///< packet_id and order are set
    bool received = false;  ///< packet_id is set
    bool done = false;
    std::uint16_t packet_id = 0;
    std::uint64_t order = 0;
};

struct FoldedSubscription {
    broker::Sid sid = 0;
    std::string_view filter;
    std::optional<std::uint8_t> qos;  ///< empty: unsubscribed
};

struct FoldedInbound {
    broker::Sid sid = 0;
    std::uint16_t packet_id = 0;
    bool held = false;  ///< else released
};

/// The newest value of a topic in the batch; an empty payload clears.
struct FoldedRetained {
    std::string_view topic;
    std::span<const std::byte> payload;
    std::uint8_t qos = 0;
    broker::Rev rev = 0;
};

struct FoldedWill {
    broker::Sid sid = 0;
    std::optional<broker::WillRecord> will;  ///< empty: none any more
};

struct FoldedAway {
    broker::Sid sid = 0;
    std::optional<std::uint64_t> since_s;  ///< empty: its client is connected
};

/// Views live as long as the chunks that were folded. Apply in the order of the members.
struct FoldedBatch {
    std::vector<broker::Sid> ended;  ///< sessions of earlier batches
    std::vector<broker::SessionOpenRecord> opened;
    std::vector<FoldedSubscription> subscriptions;
    std::vector<FoldedInbound> inbound;
    std::vector<FoldedMessage> messages;
    std::vector<FoldedRow> rows;  ///< those of `messages`, message by message
    std::vector<RowChange> changes;
    std::vector<FoldedRetained> retained;
    std::vector<FoldedWill> wills;
    std::vector<FoldedAway> away;
    broker::LogCounters counters;  ///< the highest numbers that the records name
};

/// The sessions that exist on disk, by number.
using LiveSessions = std::unordered_set<broker::Sid>;

/// Folds chunks in the order in which they were appended. Nothing of a session outside of `live`
/// (and not opened in the batch) is in the result: a message on its way to a session that has ended
/// leaves no row. A chunk is our own work: a damaged one is a fault of ours (asserted).
/// Thread: any (pure). Cost: O(records), a hash look-up each.
[[nodiscard]] FoldedBatch fold(std::span<const broker::RecordChunk> chunks,
                               const LiveSessions& live);

}  // namespace iotsky::storage
