#include "tests/simulation/real_disk.hpp"

#include <unistd.h>

#include <stdexcept>
#include <string>

#include "storage/db.hpp"
#include "storage/messages_recovery.hpp"
#include "storage/queue_reader.hpp"
#include "tests/support/state_dump.hpp"

namespace iotsky::simulation {
namespace {

std::filesystem::path make_folder() {
    const bool in_memory = ::access("/dev/shm", W_OK) == 0;  // its syncs cost nothing
    std::string name =
        (in_memory ? std::filesystem::path{"/dev/shm"} : std::filesystem::temp_directory_path()) /
        "iotsky-simulation-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("no temporary folder");
    }
    return name;
}

}  // namespace

RealDisk::RealDisk() : folder_(make_folder()) {
    open();
}

RealDisk::~RealDisk() {
    db_.reset();
    std::filesystem::remove_all(folder_);
}

void RealDisk::open() {
    db_.reset();
    db_ = storage::MessagesDb::open({folder_ / "messages.db", 0}).value();
    (void)db_->find_orphans().value();
}

void RealDisk::commit(std::span<const broker::RecordChunk> chunks, const broker::OpenTurns& turns) {
    (void)db_->apply(db_->fold(chunks), db_->applied() + 1, turns).value();
}

void RealDisk::reopen(const Tables& expected) {
    open();
    if (test::dump_of(*this) != test::dump_of(expected)) {
        throw std::logic_error("messages.db differs from what the records say:\n" +
                               test::dump_of(*this) + "instead of\n" + test::dump_of(expected));
    }
}

void RealDisk::recover(broker::RecoveryVisitor& visitor) {
    (void)storage::recover_sessions(folder_ / "messages.db", visitor).value();
}

broker::QueuePage RealDisk::read(const broker::QueueRead& read) {
    const auto db = storage::Db::open(folder_ / "messages.db", storage::Db::Mode::read_only,
                                      storage::kMessagesWords);
    return storage::read_queue(**db, read).value();
}

void RealDisk::recover_retained(const std::function<void(const broker::StoredRetained&)>& visit) {
    (void)storage::recover_retained(folder_ / "messages.db", visit).value();
}

}  // namespace iotsky::simulation
