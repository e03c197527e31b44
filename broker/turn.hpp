#pragma once

#include "broker/durable_log.hpp"
#include "broker/ids.hpp"
#include "broker/records.hpp"
#include "broker/ring.hpp"

namespace iotsky::broker {

/// One thread's view of the log: the records of the turn that runs, and which turns are durable.
/// Everything that waits, waits for a turn; append() tells the turn's batch. Confined to its
/// thread.
class TurnLog {
  public:
    TurnLog(ThreadId thread, DurableLog& log) noexcept : thread_(thread), log_(log) {}

    /// Adds a record to this turn; returns the turn for a gate.
    template <typename Record>
    TurnNo add(const Record& record) {
        records_.add(record);
        return current_;
    }
    /// This turn also depends on a batch of another thread (QoS 2 for a session that is not
    /// persistent).
    TurnNo depends_on(BatchNo batch) noexcept {
        foreign_ = batch > foreign_ ? batch : foreign_;
        return current_;
    }
    /// Something waits for `turn`: its batch is due at once.
    void wait_for(TurnNo turn) noexcept { awaited_ = turn > awaited_ ? turn : awaited_; }
    /// The end of the turn: hands the records to the log (before any mailbox, before any socket,
    /// L1) and begins the next turn. Returns the batch that mail of this turn must name; 0 if
    /// nothing was appended.
    BatchNo append();

    /// Looks at the log: which turns are durable now.
    void advance() noexcept;
    [[nodiscard]] TurnNo durable() const noexcept { return durable_; }
    [[nodiscard]] TurnNo current() const noexcept { return current_; }
    /// The first batch that something may wait for; 0 when everything is durable.
    [[nodiscard]] BatchNo waiting_for() const noexcept {
        return pending_.empty() ? 0 : pending_[0].batch;
    }
    /// Whether append() has something to tell the log.
    [[nodiscard]] bool has_news() const noexcept {
        return !records_.empty() || foreign_ != 0 || must_hurry();
    }
    /// The last batch that any of this thread's turns is in or depends on.
    [[nodiscard]] BatchNo last_batch() const noexcept { return last_batch_; }
    [[nodiscard]] DurableLog& log() noexcept { return log_; }

  private:
    struct Pending {
        TurnNo turn = 0;
        BatchNo batch = 0;
    };

    [[nodiscard]] bool must_hurry() const noexcept {
        return awaited_ > hurried_ && awaited_ > durable_;
    }
    void hurry();

    ThreadId thread_;
    DurableLog& log_;
    RecordWriter records_;
    BatchNo foreign_ = 0;
    BatchNo last_batch_ = 0;
    TurnNo current_ = 1;
    TurnNo durable_ = 0;
    TurnNo awaited_ = 0;  // the last turn that something waits for
    TurnNo hurried_ = 0;  // the last of those that the log was told of
    Ring<Pending> pending_;
};

}  // namespace iotsky::broker
