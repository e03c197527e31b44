#pragma once

#include <cstdint>
#include <vector>

#include "broker/message.hpp"
#include "broker/records.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// Queues that memory does not hold (`dataplane.md` 2.7). A persistent session whose client is away
/// keeps no message in memory, one whose client is slow a bounded part; the log has them all, and
/// they come back page by page. Confined to the home thread.
class DiskQueue {
  public:
    explicit DiskQueue(Shard::Impl& shard) noexcept : s_(shard) {}

    /// Whether the next message for the session, of so many bytes, stays on disk: nobody is here to
    /// take it, others are there before it, or memory holds its share.
    [[nodiscard]] bool takes(const Session& session, std::size_t cost) const noexcept;
    /// A message came and stays there; its record is in the log already.
    void arrived(Session& session, Mid mid, std::size_t cost);
    /// The client is away: memory lets go of everything, also of what was sent.
    void park(Session& session);
    /// Memory is short: what was not sent goes to the disk alone. False when nothing did.
    bool let_go(Session& session);
    /// After a restart: all of it is on disk.
    void restore(Session& session, const QueueSize& size);

    /// Whether what was in flight is in memory, so that CONNACK may leave; else it is fetched, and
    /// the gate is opened then.
    [[nodiscard]] bool is_ready(Session& session);
    /// Asks for the next page when memory has little left to send.
    void refill(Session& session);
    /// Asks for the oldest messages of a queue that waited too long, to drop them.
    void drop_old(Session& session);
    /// The queue is above `quota` and the oldest go first: they go when their page has come. False
    /// when the disk holds none, or when it is so far behind that the new one must go.
    [[nodiscard]] bool drop_oldest(Session& session, std::size_t cost, Quota quota);

    /// The end of a turn, after its append.
    void send_reads();
    [[nodiscard]] bool has_reads() const noexcept { return !reads_.empty(); }
    void on_page(SessionRef ref, std::uint64_t number, const QueueRead& asked,
                 const QueuePage& page);

  private:
    struct Read {
        SessionRef session;
        std::uint64_t number = 0;
        QueueRead read;
    };
    void ask(Session& session);
    [[nodiscard]] ThreadId source_of(Mid mid) const noexcept;
    void move_queued(Session& session);
    [[nodiscard]] bool has_old(const Backlog& backlog);
    void drop(Session& session, const StoredMessage& message, DoneWhy why,
              Quota quota = Quota::none);
    void trim(Session& session, const QueueRead& asked, const QueuePage& page);
    void take(Session& session, const QueueRead& asked, const QueuePage& page);

    Shard::Impl& s_;
    std::vector<Read> reads_;
    std::uint64_t last_number_ = 0;
};

}  // namespace iotsky::broker
