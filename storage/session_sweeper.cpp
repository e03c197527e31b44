#include "storage/session_sweeper.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "storage/batch_apply.hpp"
#include "storage/db.hpp"

namespace iotsky::storage {
namespace {

constexpr const char* kNextSids[] = {
    "SELECT sid FROM queue WHERE sid > ?1 ORDER BY sid LIMIT 1",
    "SELECT sid FROM subscriptions WHERE sid > ?1 ORDER BY sid LIMIT 1",
    "SELECT sid FROM inbound WHERE sid > ?1 ORDER BY sid LIMIT 1",
};

std::size_t sweep_queue(Db& db, broker::Sid sid, std::size_t rows_max) {
    struct Row {
        std::uint64_t mid = 0;
        std::int64_t form = 0;
        std::int64_t state = 0;
    };
    std::vector<Row> rows;
    {
        Query query =
            db.query("SELECT mid, form, state FROM queue WHERE sid = ?1 ORDER BY mid LIMIT ?2", sid,
                     std::uint64_t{rows_max});
        while (query.next()) {
            Row& row = rows.emplace_back();
            query.read(row.mid, row.form, row.state);
        }
    }
    std::vector<broker::Mid> released;
    for (const Row& row : rows) {
        db.run("DELETE FROM queue WHERE sid = ?1 AND mid = ?2 AND form = ?3", sid, row.mid,
               row.form);
        if (row.state != static_cast<std::int64_t>(broker::StoredMessage::State::received)) {
            released.push_back(row.mid);
        }
    }
    release_messages(db, std::move(released));
    return rows.size();
}

std::size_t deleted(Db& db, const char* sql, broker::Sid sid, std::size_t rows_max) {
    db.run(sql, sid, std::uint64_t{rows_max});
    return db.failed() ? 0 : static_cast<std::size_t>(db.changes());
}

}  // namespace

void SessionSweeper::find_orphans(Db& db, const LiveSessions& live) {
    LiveSessions found;
    for (const char* next : kNextSids) {
        std::uint64_t sid = 0;
        for (bool more = true; more;) {
            Query query = db.query(next, sid);
            more = query.next();
            if (more) {
                query.get(sid);
                if (!live.contains(sid)) {
                    found.insert(sid);
                }
            }
        }
    }
    dead_.insert(dead_.end(), found.begin(), found.end());
}

void SessionSweeper::add(std::span<const broker::Sid> ended) {
    dead_.insert(dead_.end(), ended.begin(), ended.end());
}

std::size_t SessionSweeper::sweep(Db& db, broker::Sid sid, std::size_t rows_max) {
    std::size_t rows = sweep_queue(db, sid, rows_max);
    if (rows < rows_max) {
        rows += deleted(db,
                        "DELETE FROM subscriptions WHERE sid = ?1 AND filter IN "
                        "(SELECT filter FROM subscriptions WHERE sid = ?1 LIMIT ?2)",
                        sid, rows_max - rows);
    }
    if (rows < rows_max) {
        rows += deleted(db,
                        "DELETE FROM inbound WHERE sid = ?1 AND packet_id IN "
                        "(SELECT packet_id FROM inbound WHERE sid = ?1 LIMIT ?2)",
                        sid, rows_max - rows);
    }
    return rows;
}

void SessionSweeper::slice(Db& db, std::size_t rows_max) {
    finished_ = 0;
    while (finished_ < dead_.size() && rows_max > 0 && !db.failed()) {
        const std::size_t rows = sweep(db, dead_[finished_], rows_max);
        if (rows == rows_max) {
            return;  // it may have more
        }
        rows_max -= std::min(rows_max, rows + 1);  // an empty one costs its look-ups
        ++finished_;
    }
}

void SessionSweeper::committed() {
    dead_.erase(dead_.begin(), dead_.begin() + static_cast<std::ptrdiff_t>(finished_));
    finished_ = 0;
}

}  // namespace iotsky::storage
