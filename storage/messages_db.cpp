#include "storage/messages_db.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/errno_text.hpp"
#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "storage/batch_apply.hpp"
#include "storage/migrate.hpp"

namespace iotsky::storage {
namespace {

/// Garbage rows that one transaction takes away: about 3 ms.
constexpr std::size_t kSweepRows = 1'000;
/// Free pages that the file keeps for what comes next: 16 MiB.
constexpr std::uint64_t kFreePagesKept = 4'096;
/// Commits between two looks at how many there are.
constexpr unsigned kLookEvery = 64;

int note_wal_pages(void* wal_pages, sqlite3* /*db*/, const char* /*name*/, int pages) {
    *static_cast<int*>(wal_pages) = pages;
    return SQLITE_OK;
}

bool is_empty(const FoldedBatch& batch) {
    return batch.ended.empty() && batch.opened.empty() && batch.subscriptions.empty() &&
           batch.inbound.empty() && batch.messages.empty() && batch.changes.empty() &&
           batch.retained.empty() && batch.wills.empty() && batch.away.empty() &&
           batch.counters.uptime_s == 0;
}

}  // namespace

const DbWords kMessagesWords{
    "The message store", "E5302",
    "Restart iotsky: it sets the damaged file aside, starts with an empty one and says what was "
    "lost."};

Result<std::unique_ptr<MessagesDb>> MessagesDb::open(Options options) {
    std::unique_ptr<MessagesDb> opened(new MessagesDb(std::move(options)));
    const std::filesystem::path& path = opened->options_.path;
    {
        IOTSKY_TRY(db, Db::open(path, Db::Mode::read_write, kMessagesWords));
        IOTSKY_CHECK(migrate(*db, path, messages_schema()));
    }
    IOTSKY_CHECK(opened->connect());
    IOTSKY_CHECK(opened->load());
    opened->reserve_wal();
    return opened;
}

Result<void> MessagesDb::connect() {
    IOTSKY_TRY(db, Db::open(options_.path, Db::Mode::read_write, kMessagesWords));
    // The write-ahead log is emptied by the Checkpointer, never inside a commit: setting the hook
    // also ends SQLite's own checkpoints.
    db->script("PRAGMA synchronous = FULL; PRAGMA cache_size = -8192");
    db->script("PRAGMA journal_size_limit = " + std::to_string(options_.wal_reserve_bytes));
    sqlite3_wal_hook(db->handle(), note_wal_pages, &wal_pages_);
    broker::BatchNo applied = 0;
    broker::LogCounters counters;
    {
        Query query = db->query("SELECT applied_batch, sid_high, mid_high, uptime_s FROM meta");
        if (query.next()) {
            query.read(applied, counters.sid, counters.mid, counters.uptime_s);
        } else if (!db->failed()) {
            query.damaged("the row of meta is missing");
        }
    }
    if (db->failed()) {
        return db->error();
    }
    applied_ = applied;
    counters_ = counters;
    // Only now the old one: while one connection is open, no other takes the write-ahead log for
    // that of a crash and reads what a failed sync left in it.
    db_ = std::move(db);
    return {};
}

Result<void> MessagesDb::load() {
    {
        Query query = db_->query("SELECT sid FROM sessions");
        while (query.next()) {
            live_.insert(query.get<std::uint64_t>());
        }
    }
    if (db_->failed()) {
        return db_->error();
    }
    return {};
}

void MessagesDb::reserve_wal() {
    if (options_.wal_reserve_bytes == 0) {
        return;  // not wanted; fallocate would take it for a mistake
    }
    const std::string wal = options_.path.string() + "-wal";
    const UniqueFd file{::open(wal.c_str(), O_RDWR | O_CLOEXEC)};
    if (!file) {
        return;
    }
    if (::fallocate(file.get(), 0, 0, static_cast<off_t>(options_.wal_reserve_bytes)) != 0) {
        log::warn("E5301", "no reserve for the message store's log",
                  {{"detail", wal},
                   {"limit", options_.wal_reserve_bytes},
                   {"reason", errno_text(errno)}});
    }
}

Result<void> MessagesDb::apply(const FoldedBatch& batch, broker::BatchNo number,
                               const broker::OpenTurns& turns) {
    const bool idle = is_empty(batch);
    // Applied already: the answer that was lost was a yes.
    if (number > applied_ && (!idle || has_garbage())) {
        IOTSKY_CHECK(write(batch, number, idle));
    }
    remember(batch, number, turns);
    return {};
}

Result<void> MessagesDb::write(const FoldedBatch& batch, broker::BatchNo number, bool idle) {
    db_->reset();
    db_->run("BEGIN IMMEDIATE");
    apply_batch(*db_, batch, tombstones_);
    clear_up(idle);
    db_->run(
        "UPDATE meta SET applied_batch = ?1, sid_high = max(sid_high, ?2), "
        "mid_high = max(mid_high, ?3), uptime_s = max(uptime_s, ?4)",
        number, batch.counters.sid, batch.counters.mid, batch.counters.uptime_s);
    db_->run("COMMIT");
    if (db_->failed()) {
        return roll_back();
    }
    return {};
}

bool MessagesDb::has_garbage() const noexcept {
    return sweeper_.has_work() || free_pages_ > kFreePagesKept;
}

/// A part of the garbage with every batch; space is given back when there is nothing else to do.
void MessagesDb::clear_up(bool idle) {
    if (sweeper_.has_work()) {
        sweeper_.slice(*db_, kSweepRows);
    } else if (idle) {
        db_->run("PRAGMA incremental_vacuum(512)");
    }
}

void MessagesDb::count_free_pages() {
    commits_since_look_ = 0;
    Query query = db_->query("PRAGMA freelist_count");
    if (query.next()) {
        query.get(free_pages_);
    }
}

Error MessagesDb::roll_back() {
    Error error = db_->error();
    db_->reset();
    if (db_->in_transaction()) {
        db_->run("ROLLBACK");
        db_->reset();
    }
    return error;
}

void MessagesDb::remember(const FoldedBatch& batch, broker::BatchNo number,
                          const broker::OpenTurns& turns) {
    applied_ = number;
    counters_.sid = std::max(counters_.sid, batch.counters.sid);
    counters_.mid = std::max(counters_.mid, batch.counters.mid);
    counters_.uptime_s = std::max(counters_.uptime_s, batch.counters.uptime_s);
    for (const broker::Sid sid : batch.ended) {
        live_.erase(sid);
    }
    for (const broker::SessionOpenRecord& opened : batch.opened) {
        live_.insert(opened.sid);
    }
    const bool cleared_up = has_garbage();
    sweeper_.committed();
    sweeper_.add(batch.ended);
    if (++commits_since_look_ >= kLookEvery || cleared_up) {
        count_free_pages();
    }
    std::vector<RetainedTombstones::Deleted> deleted;
    for (const FoldedRetained& retained : batch.retained) {
        if (retained.payload.empty()) {
            deleted.push_back({std::string{retained.topic}, retained.rev});
        }
    }
    if (!deleted.empty()) {
        tombstones_.add(std::move(deleted), turns.snapshot());
    }
    tombstones_.forget(turns, number);
}

Result<void> MessagesDb::find_orphans() {
    sweeper_.find_orphans(*db_, live_);
    if (db_->failed()) {
        return db_->error();
    }
    return {};
}

Result<void> MessagesDb::reopen() {
    return connect();
}

}  // namespace iotsky::storage
