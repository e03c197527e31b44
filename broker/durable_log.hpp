#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.hpp"
#include "broker/ids.hpp"
#include "broker/open_turns.hpp"
#include "broker/queue_page.hpp"

namespace iotsky::broker {

class Waker;

/// Records of one thread's turn, back to back (broker/records.hpp).
using RecordChunk = std::vector<std::byte>;

/// A session as the log holds it. Its queue is read when it is needed.
struct StoredSession {
    Sid sid = 0;
    std::string_view scope;
    std::string_view client_id;
    std::uint64_t epoch = 0;
    QueueSize queue;
    std::optional<std::uint64_t> away_since_s;  ///< uptime when its client left; empty: connected
};

/// Receives the durable state at start. Views live during the call.
class RecoveryVisitor {
  public:
    virtual ~RecoveryVisitor() = default;
    /// True: this thread is the session's home; its rows follow. False: they are skipped.
    [[nodiscard]] virtual bool on_session(const StoredSession& session) = 0;
    virtual void on_subscription(std::string_view filter, std::uint8_t qos) = 0;
    virtual void on_inbound(std::uint16_t packet_id) = 0;
    virtual void on_will(std::string_view topic, std::span<const std::byte> payload,
                         std::uint8_t qos, bool retain) = 0;
};

/// A retained message as the log holds it.
struct StoredRetained {
    std::string_view topic;
    std::span<const std::byte> payload;
    std::uint8_t qos = 0;
    Rev rev = 0;
};

/// The highest numbers that durable records name: new ones start above (L5).
struct LogCounters {
    Sid sid = 0;
    Mid mid = 0;
    /// How long brokers have run on this log, all runs together: time that no clock can jump over.
    std::uint64_t uptime_s = 0;
};

/// How the log is doing, for status, /health/ready and metrics.
struct LogHealth {
    bool accepting = true;          ///< false: commits fail; gates stay shut until it is true again
    std::string reason;             ///< in words, when not accepting
    std::size_t pending_bytes = 0;  ///< appended, not yet durable
    BatchNo durable = 0;
    std::string mode;  ///< "durable", "relaxed" or "memory"
};

/// When a batch must become durable.
enum class Due : std::uint8_t {
    at_once,  ///< an acknowledgement waits for it
    soon,     ///< nobody waits: within the log's longest wait (200 ms)
};

/// One causal log for all io threads (`dataplane.md` 2). Its order contains every cause before its
/// effect, because a turn appends before it publishes mailboxes and writes sockets (L1). A batch is
/// all or nothing, and `durable()` only grows (L2).
class DurableLog {
  public:
    virtual ~DurableLog() = default;
    /// Any io thread, once per turn with records. Returns the batch that holds them. Never blocks
    /// on a disk.
    [[nodiscard]] virtual BatchNo append(ThreadId thread, RecordChunk&& records, Due due) = 0;
    /// Something came to wait for `batch`, which was appended as due soon: it is due at once. Any
    /// io thread.
    virtual void hurry(BatchNo batch) = 0;
    /// Number of the last batch that is durable. Any thread, one acquire load.
    [[nodiscard]] virtual BatchNo durable() const noexcept = 0;
    /// Wake `thread` once durable() >= batch (or at once if it is). The caller announces sleep
    /// first, then calls, then looks at durable() again.
    virtual void wake_on(ThreadId thread, BatchNo batch) = 0;
    /// The io threads to wake, one per ThreadId. They are made after the log and end before it:
    /// empty once they are gone.
    virtual void set_wakers(std::vector<Waker*> wakers) = 0;
    /// Bytes appended and not yet durable. Any thread, one load.
    [[nodiscard]] virtual std::size_t pending_bytes() const noexcept = 0;
    /// False while commits fail: nothing that needs the disk is begun. Any thread, one load.
    [[nodiscard]] virtual bool accepting() const noexcept = 0;
    /// Whether what is appended now is on disk soon, as relaxed sessions are promised; false: their
    /// answers wait, too. Any thread.
    [[nodiscard]] virtual bool keeps_up() const noexcept { return accepting(); }
    [[nodiscard]] virtual LogHealth health() const = 0;
    /// How long commits take; null for a log without a disk. Lives as long as the log.
    [[nodiscard]] virtual const Histogram* commit_seconds() const noexcept { return nullptr; }

    /// At start, before the first append. Each io thread asks for its sessions; one asks for
    /// retained messages.
    virtual void recover(RecoveryVisitor& visitor) = 0;
    virtual void recover_retained(const std::function<void(const StoredRetained&)>& visit) = 0;
    [[nodiscard]] virtual LogCounters counters() const = 0;

    /// Whether queued messages can be read back, so that memory need not hold them.
    [[nodiscard]] virtual bool keeps_queues() const noexcept = 0;
    /// Reads a part of one session's queue. Any io thread; `answer` is called once, on another
    /// thread, when `read.batch` is durable; never after the log's end, and not at all while the
    /// disk cannot be read.
    virtual void read(QueueRead read, std::function<void(QueuePage)> answer) = 0;

    /// Told by the io threads, asked by the log: whether a record with an older revision can still
    /// come.
    [[nodiscard]] OpenTurns& turns() noexcept { return turns_; }

  private:
    OpenTurns turns_;
};

}  // namespace iotsky::broker
