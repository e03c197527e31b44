#include "storage/checkpointer.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "storage/db.hpp"
#include "storage/messages_db.hpp"

namespace iotsky::storage {
namespace {

/// What a commit may wait for a checkpoint, and a checkpoint for a reader.
constexpr int kHoldMs = 100;

}  // namespace

Checkpointer::Checkpointer(Options options, std::unique_ptr<Db> db)
    : options_(std::move(options)), db_(std::move(db)), thread_([this] { run(); }) {}

Result<std::unique_ptr<Checkpointer>> Checkpointer::open(Options options) {
    IOTSKY_TRY(db, Db::open(options.path, Db::Mode::read_write, kMessagesWords));
    db->script("PRAGMA synchronous = FULL");
    sqlite3_busy_timeout(db->handle(), kHoldMs);
    if (db->failed()) {
        return db->error();
    }
    return std::unique_ptr<Checkpointer>(new Checkpointer(std::move(options), std::move(db)));
}

Checkpointer::~Checkpointer() {
    {
        LockGuard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void Checkpointer::note(int wal_pages) {
    if (wal_pages < options_.pages_begin) {
        return;
    }
    {
        LockGuard lock(mutex_);
        wal_pages_ = wal_pages;
    }
    changed_.notify_one();
}

void Checkpointer::give_back_space() {
    {
        LockGuard lock(mutex_);
        wal_pages_ = std::max(wal_pages_, 1);
    }
    changed_.notify_one();
}

void Checkpointer::run() {
    set_thread_name("checkpoint");
    while (const int wal_pages = next()) {
        checkpoint(wal_pages);
    }
}

int Checkpointer::next() {
    LockGuard lock(mutex_);
    while (wal_pages_ == 0 && !stopping_) {
        changed_.wait(mutex_);
    }
    return stopping_ ? 0 : std::exchange(wal_pages_, 0);
}

void Checkpointer::checkpoint(int wal_pages) {
    sqlite3* db = db_->handle();
    int code = sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (code == SQLITE_OK && wal_pages >= options_.pages_hold && long_readers_.load() == 0) {
        code = sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
    }
    report(code);
}

void Checkpointer::report(int code) {
    const bool failed = code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY;
    if (failed && !failing_) {
        log::warn("E5303", "the message store's log cannot be emptied",
                  {{"detail", sqlite3_errmsg(db_->handle())}, {"rc", code}});
    }
    failing_ = failed || (failing_ && code != SQLITE_OK);
}

}  // namespace iotsky::storage
