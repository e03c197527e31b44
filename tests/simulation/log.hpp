#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "broker/durable_log.hpp"
#include "broker/mailbox.hpp"
#include "tests/simulation/real_disk.hpp"
#include "tests/simulation/tables.hpp"

namespace iotsky::simulation {

/// Ways to break the log or a rule that leans on it, to show that the checks can fail.
enum class LogFault : std::uint8_t {
    none,
    early_durable,  ///< says "durable" when a batch is appended, not when it is on disk
    drop_on_error,  ///< a failed commit loses its batch instead of holding it
    // The packet that waits for such a record leaves before it is on disk:
    late_sent,      ///< PUBLISH at QoS 2 before SENT
    late_received,  ///< PUBREL before REC
    late_release,   ///< PUBCOMP before REL_IN
    // One PUBLISH is more than one record:
    late_inbound,  ///< the inbound identifier comes in a batch of its own
    late_targets,  ///< the references come in a batch of their own
    // Queues on disk:
    early_read,  ///< a page is read before the messages that it was asked for are on disk
    // Mail before append:
    late_thread,  ///< what one thread appends lies behind what others made of it
};

struct LogOptions {
    LogOptions() = default;
    // Implicit: tests write a fault where options go.
    LogOptions(LogFault f) : fault(f) {}
    LogFault fault = LogFault::none;
    broker::ThreadId thread = 0;  ///< of late_thread
    bool real_disk = false;       ///< fold, transactions and recovery of messages.db
    bool keeps_queues = true;     ///< false: memory holds all of every queue, as in mode memory
};

/// Mode memory.
[[nodiscard]] inline LogOptions queues_in_memory() {
    LogOptions options;
    options.keeps_queues = false;
    return options;
}

/// A log whose disk is a step of the scheduler: batches collect, are being committed, are durable.
/// A crash loses what was not applied.
class Log final : public broker::DurableLog {
  public:
    explicit Log(LogOptions options = {});

    [[nodiscard]] broker::BatchNo append(broker::ThreadId thread, broker::RecordChunk&& records,
                                         broker::Due due) override;
    void hurry(broker::BatchNo batch) override;
    [[nodiscard]] broker::BatchNo durable() const noexcept override { return durable_; }
    void wake_on(broker::ThreadId /*thread*/, broker::BatchNo /*batch*/) override {
    }  // every shard runs anyway
    void set_wakers(std::vector<broker::Waker*> /*wakers*/) override {}
    [[nodiscard]] std::size_t pending_bytes() const noexcept override { return pending_bytes_; }
    [[nodiscard]] bool accepting() const noexcept override { return true; }
    [[nodiscard]] broker::LogHealth health() const override {
        return {true, {}, 0, durable_, "simulated"};
    }
    void recover(broker::RecoveryVisitor& visitor) override;
    void recover_retained(const std::function<void(const broker::StoredRetained&)>& visit) override;
    [[nodiscard]] broker::LogCounters counters() const override;
    [[nodiscard]] bool keeps_queues() const noexcept override { return options_.keeps_queues; }
    void read(broker::QueueRead read, std::function<void(broker::QueuePage)> answer) override;

    /// One step of the disk: begins or ends a commit. False if there is nothing to do. Without
    /// `timer` a batch that nobody waits for stays.
    bool step(bool timer = true);
    /// One step of the reader: answers the oldest question that it can.
    bool step_reader();
    /// The commit under way fails. It is held and tried again, unchanged.
    void fail_commit();
    /// The process dies: what collects is lost; the batch being committed is on disk or not, as
    /// `applied` says.
    void crash(bool applied);
    [[nodiscard]] bool idle() const noexcept {
        return collecting_.empty() && !begun_ && late_.empty();
    }
    [[nodiscard]] bool due() const noexcept { return due_ || begun_; }
    [[nodiscard]] const Tables& tables() const noexcept { return tables_; }

  private:
    struct Chunk {
        broker::ThreadId thread = 0;
        broker::RecordChunk records;
    };
    struct Question {
        broker::QueueRead read;
        std::function<void(broker::QueuePage)> answer;
    };
    void apply_committing();
    void split_late();

    LogOptions options_;
    Tables tables_;
    std::unique_ptr<RealDisk> disk_;
    std::vector<Chunk> collecting_;
    std::vector<Chunk> committing_;
    std::vector<broker::RecordChunk> late_;  ///< what a broken rule puts behind what was promised
    unsigned late_batches_ = 0;              ///< until it is written
    broker::BatchNo collecting_no_ = 1;
    broker::BatchNo durable_ = 0;
    std::size_t pending_bytes_ = 0;
    std::size_t committing_bytes_ = 0;
    std::vector<Question> questions_;
    bool begun_ = false;  ///< `committing_` is on its way to the disk
    bool due_ = false;
};

}  // namespace iotsky::simulation
