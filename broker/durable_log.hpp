#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "broker/ids.hpp"

namespace iotsky::broker {

/// Records of one thread's turn, back to back (broker/records.hpp).
using RecordChunk = std::vector<std::byte>;

/// How the log is doing, for status, /health/ready and metrics.
struct LogHealth {
    bool accepting = true;          ///< false: commits fail; gates stay shut until it is true again
    std::string reason;             ///< in words, when not accepting
    std::size_t pending_bytes = 0;  ///< appended, not yet durable
    BatchNo durable = 0;
    std::string mode;  ///< "durable", "relaxed" or "memory"
};

/// One causal log for all io threads (`dataplane.md` 2). Its order contains every cause before its
/// effect, because a turn appends before it publishes mailboxes and writes sockets (L1). A batch is
/// all or nothing, and `durable()` only grows (L2).
class DurableLog {
  public:
    virtual ~DurableLog() = default;
    /// Any io thread, once per turn with records. Returns the batch that holds them. Never blocks
    /// on a disk.
    [[nodiscard]] virtual BatchNo append(ThreadId thread, RecordChunk&& records) = 0;
    /// Number of the last batch that is durable. Any thread, one acquire load.
    [[nodiscard]] virtual BatchNo durable() const noexcept = 0;
    /// Wake `thread` once durable() >= batch (or at once if it is). The caller announces sleep
    /// first, then calls, then looks at durable() again.
    virtual void wake_on(ThreadId thread, BatchNo batch) = 0;
    /// Bytes appended and not yet durable. Any thread, one load.
    [[nodiscard]] virtual std::size_t pending_bytes() const noexcept = 0;
    /// False while commits fail: nothing that needs the disk is begun. Any thread, one load.
    [[nodiscard]] virtual bool accepting() const noexcept = 0;
    [[nodiscard]] virtual LogHealth health() const = 0;
};

}  // namespace iotsky::broker
