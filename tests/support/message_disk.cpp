#include "tests/support/message_disk.hpp"

#include "storage/db.hpp"
#include "storage/messages_recovery.hpp"
#include "storage/queue_reader.hpp"

namespace iotsky::test {

MessageDisk::MessageDisk(std::size_t wal_reserve_bytes) : wal_reserve_bytes_(wal_reserve_bytes) {
    open();
}

void MessageDisk::open() {
    db_.reset();
    db_ = storage::MessagesDb::open({path(), wal_reserve_bytes_}).value();
}

void MessageDisk::commit(std::span<const broker::RecordChunk> chunks,
                         const broker::OpenTurns& turns) {
    (void)db_->apply(db_->fold(chunks), db_->applied() + 1, turns).value();
}

void MessageDisk::recover(broker::RecoveryVisitor& visitor) const {
    (void)storage::recover_sessions(path(), visitor).value();
}

void MessageDisk::recover_retained(
    const std::function<void(const broker::StoredRetained&)>& visit) const {
    (void)storage::recover_retained(path(), visit).value();
}

broker::QueuePage MessageDisk::read(const broker::QueueRead& read) const {
    const auto db =
        storage::Db::open(path(), storage::Db::Mode::read_only, storage::kMessagesWords);
    return storage::read_queue(**db, read).value();
}

}  // namespace iotsky::test
