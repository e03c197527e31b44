#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "broker/durable_log.hpp"
#include "storage/messages_db.hpp"
#include "tests/support/temporary_folder.hpp"

namespace iotsky::test {

/// messages.db in a folder of its own, without the log's threads: the real fold, the real
/// transactions, the real recovery. Throws what it is refused.
class MessageDisk {
  public:
    explicit MessageDisk(std::size_t wal_reserve_bytes = 0);

    /// Opens what is there, as a new process does.
    void open();
    /// The process dies.
    void close() { db_.reset(); }
    [[nodiscard]] std::filesystem::path path() const { return folder_.path() / "messages.db"; }
    [[nodiscard]] storage::MessagesDb& db() { return *db_; }
    /// As the batch behind the last one.
    void commit(std::span<const broker::RecordChunk> chunks, const broker::OpenTurns& turns);

    void recover(broker::RecoveryVisitor& visitor) const;
    void recover_retained(const std::function<void(const broker::StoredRetained&)>& visit) const;
    [[nodiscard]] broker::QueuePage read(const broker::QueueRead& read) const;

  private:
    TemporaryFolder folder_;
    std::size_t wal_reserve_bytes_;
    std::unique_ptr<storage::MessagesDb> db_;
};

}  // namespace iotsky::test
