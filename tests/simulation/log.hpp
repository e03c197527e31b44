#pragma once

#include <vector>

#include "broker/durable_log.hpp"
#include "broker/mailbox.hpp"
#include "tests/simulation/tables.hpp"

namespace iotsky::simulation {

/// Ways to break the log, to show that the checks can fail.
enum class LogFault : std::uint8_t {
    none,
    early_durable,  ///< says "durable" when a batch is appended, not when it is on disk
    drop_on_error,  ///< a failed commit loses its batch instead of holding it
};

/// A log whose disk is a step of the scheduler: batches collect, are being committed, are durable.
/// A crash loses what was not applied.
class Log final : public broker::DurableLog {
  public:
    explicit Log(LogFault fault = LogFault::none) : fault_(fault) {}

    [[nodiscard]] broker::BatchNo append(broker::ThreadId thread, broker::RecordChunk&& records,
                                         broker::Due due) override;
    void hurry(broker::BatchNo /*batch*/) override {}  // the disk is a step of the scheduler
    [[nodiscard]] broker::BatchNo durable() const noexcept override { return durable_; }
    void wake_on(broker::ThreadId /*thread*/, broker::BatchNo /*batch*/) override {
    }  // every shard runs anyway
    void set_wakers(std::vector<broker::Waker*> /*wakers*/) override {}
    [[nodiscard]] std::size_t pending_bytes() const noexcept override { return 0; }
    [[nodiscard]] bool accepting() const noexcept override { return true; }
    [[nodiscard]] broker::LogHealth health() const override {
        return {true, {}, 0, durable_, "simulated"};
    }
    void recover(broker::RecoveryVisitor& visitor) override { tables_.recover(visitor); }
    void recover_retained(
        const std::function<void(const broker::StoredRetained&)>& visit) override {
        tables_.recover_retained(visit);
    }
    [[nodiscard]] broker::LogCounters counters() const override { return tables_.counters(); }

    /// One step of the disk: begins or ends a commit. False if there is nothing to do.
    bool step();
    /// The commit under way fails. It is held and tried again, unchanged.
    void fail_commit();
    /// The process dies: what collects is lost; the batch being committed is on disk or not, as
    /// `applied` says.
    void crash(bool applied);
    [[nodiscard]] bool idle() const noexcept { return collecting_.empty() && committing_.empty(); }
    [[nodiscard]] const Tables& tables() const noexcept { return tables_; }

  private:
    void apply_committing();

    LogFault fault_;
    Tables tables_;
    std::vector<broker::RecordChunk> collecting_;
    std::vector<broker::RecordChunk> committing_;
    broker::BatchNo collecting_no_ = 1;
    broker::BatchNo durable_ = 0;
};

}  // namespace iotsky::simulation
