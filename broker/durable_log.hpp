#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/ids.hpp"
#include "broker/open_turns.hpp"

namespace iotsky::broker {

class Waker;

/// Records of one thread's turn, back to back (broker/records.hpp).
using RecordChunk = std::vector<std::byte>;

/// What a log holds about one session's outbound message.
struct StoredMessage {
    enum class State : std::uint8_t { queued, sent, received };
    Mid mid = 0;
    std::string_view topic;
    std::span<const std::byte> payload;
    std::uint8_t qos = 0;  ///< delivered QoS, 1 or 2
    Form form = Form::plain;
    bool retain = false;  ///< goes out with RETAIN 1: it came from a replay
    State state = State::queued;
    std::uint16_t packet_id = 0;  ///< not for `queued`
    std::uint64_t order = 0;      ///< n of SENT; not for `queued`
};

/// Receives the durable state at start. Views live during the call.
class RecoveryVisitor {
  public:
    virtual ~RecoveryVisitor() = default;
    /// True: this thread is the session's home; its rows follow. False: they are skipped.
    [[nodiscard]] virtual bool on_session(Sid sid, std::string_view scope,
                                          std::string_view client_id, std::uint64_t epoch) = 0;
    virtual void on_subscription(std::string_view filter, std::uint8_t qos) = 0;
    /// In flight first, by order; then the queue, by mid.
    virtual void on_message(const StoredMessage& message) = 0;
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
    [[nodiscard]] virtual LogHealth health() const = 0;

    /// At start, before the first append. Each io thread asks for its sessions; one asks for
    /// retained messages.
    virtual void recover(RecoveryVisitor& visitor) = 0;
    virtual void recover_retained(const std::function<void(const StoredRetained&)>& visit) = 0;
    [[nodiscard]] virtual LogCounters counters() const = 0;

    /// Told by the io threads, asked by the log: whether a record with an older revision can still
    /// come.
    [[nodiscard]] OpenTurns& turns() noexcept { return turns_; }

  private:
    OpenTurns turns_;
};

}  // namespace iotsky::broker
