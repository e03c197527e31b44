#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "broker/durable_log.hpp"
#include "storage/messages_db.hpp"
#include "tests/simulation/tables.hpp"

namespace iotsky::simulation {

/// messages.db in a folder of its own: the real fold, the real transactions, the real recovery.
class RealDisk {
  public:
    RealDisk();
    ~RealDisk();
    RealDisk(const RealDisk&) = delete;
    RealDisk& operator=(const RealDisk&) = delete;

    void commit(std::span<const broker::RecordChunk> chunks, const broker::OpenTurns& turns);
    /// The process died: opens what it left. Throws unless that is what `expected` has.
    void reopen(const Tables& expected);
    void recover(broker::RecoveryVisitor& visitor);
    void recover_retained(const std::function<void(const broker::StoredRetained&)>& visit);
    [[nodiscard]] broker::QueuePage read(const broker::QueueRead& read);
    [[nodiscard]] broker::LogCounters counters() const { return db_->counters(); }

  private:
    void open();

    std::filesystem::path folder_;
    std::unique_ptr<storage::MessagesDb> db_;
};

}  // namespace iotsky::simulation
