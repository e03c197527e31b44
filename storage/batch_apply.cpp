#include "storage/batch_apply.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "storage/db.hpp"
#include "storage/retained_tombstones.hpp"

namespace iotsky::storage {
namespace {

using State = broker::StoredMessage::State;

/// How the queues of sessions grow and shrink in a batch.
class QueueSizes {
  public:
    void add(broker::Sid sid, std::int64_t messages, std::int64_t bytes) {
        Change& change = changes_[sid];
        change.messages += messages;
        change.bytes += bytes;
    }
    void apply(Db& db) const {
        for (const auto& [sid, change] : changes_) {
            if (change.messages != 0 || change.bytes != 0) {
                db.run(
                    "UPDATE sessions SET queued_messages = queued_messages + ?2, "
                    "queued_bytes = queued_bytes + ?3 WHERE sid = ?1",
                    sid, change.messages, change.bytes);
            }
        }
    }

  private:
    struct Change {
        std::int64_t messages = 0;
        std::int64_t bytes = 0;
    };
    std::unordered_map<broker::Sid, Change> changes_;
};

std::int64_t number(broker::Form form) {
    return static_cast<std::int64_t>(form);
}
std::int64_t number(State state) {
    return static_cast<std::int64_t>(state);
}

void apply_sessions(Db& db, const FoldedBatch& batch) {
    for (const broker::Sid sid : batch.ended) {
        // First: a new session may have the same scope and Client Identifier. The rest of its rows
        // goes in slices (SessionSweeper).
        db.run("DELETE FROM sessions WHERE sid = ?1", sid);
        db.run("DELETE FROM wills WHERE sid = ?1", sid);
    }
    for (const broker::SessionOpenRecord& r : batch.opened) {
        db.run("INSERT INTO sessions (sid, scope, client_id, epoch) VALUES (?1, ?2, ?3, ?4)", r.sid,
               r.scope, r.client_id, r.epoch);
    }
}

void apply_subscriptions(Db& db, const FoldedBatch& batch) {
    for (const FoldedSubscription& s : batch.subscriptions) {
        if (s.qos) {
            db.run(
                "INSERT INTO subscriptions (sid, filter, qos) VALUES (?1, ?2, ?3) "
                "ON CONFLICT DO UPDATE SET qos = excluded.qos",
                s.sid, s.filter, std::int64_t{*s.qos});
        } else {
            db.run("DELETE FROM subscriptions WHERE sid = ?1 AND filter = ?2", s.sid, s.filter);
        }
    }
}

void apply_inbound(Db& db, const FoldedBatch& batch) {
    for (const FoldedInbound& i : batch.inbound) {
        db.run(i.held ? "INSERT OR IGNORE INTO inbound (sid, packet_id) VALUES (?1, ?2)"
                      : "DELETE FROM inbound WHERE sid = ?1 AND packet_id = ?2",
               i.sid, std::int64_t{i.packet_id});
    }
}

void apply_messages(Db& db, const FoldedBatch& batch, QueueSizes& sizes) {
    for (const FoldedMessage& m : batch.messages) {
        if (m.refs == 0) {
            continue;
        }
        Query query = db.query(
            "INSERT INTO messages (mid, refs, replay, topic, payload) VALUES (?1, ?2, ?3, ?4, ?5)",
            m.mid, std::uint64_t{m.refs}, m.replay);
        query.bind_static(m.topic);
        query.bind(m.payload);
        query.next();
    }
    for (const FoldedRow& r : batch.rows) {
        db.run(
            "INSERT INTO queue (sid, mid, form, qos, state, packet_id, n, bytes) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            r.key.sid, r.key.mid, number(r.key.form), std::int64_t{r.qos}, number(r.state),
            std::int64_t{r.packet_id}, r.order, r.bytes);
        sizes.add(r.key.sid, 1, static_cast<std::int64_t>(r.bytes));
    }
}

/// Whether it was there and still needed its message.
bool delete_row(Db& db, const QueueKey& key, QueueSizes& sizes) {
    Query query = db.query(
        "DELETE FROM queue WHERE sid = ?1 AND mid = ?2 AND form = ?3 RETURNING state, bytes",
        key.sid, key.mid, number(key.form));
    bool needed = false;
    while (query.next()) {
        needed = query.get<std::int64_t>() != number(State::received);
        sizes.add(key.sid, -1, -query.get<std::int64_t>());
    }
    return needed;
}

/// PUBLISH will never be sent again: whether the row needed its message until now.
bool mark_received(Db& db, const RowChange& change, QueueSizes& sizes) {
    const QueueKey& key = change.key;
    std::optional<std::int64_t> bytes;
    {
        Query query = db.query(
            "SELECT bytes FROM queue WHERE sid = ?1 AND mid = ?2 AND form = ?3 AND state <> 2",
            key.sid, key.mid, number(key.form));
        if (query.next()) {
            bytes = query.get<std::int64_t>();
        }
    }
    if (bytes) {
        db.run(
            "UPDATE queue SET state = 2, packet_id = ?4, bytes = 0 "
            "WHERE sid = ?1 AND mid = ?2 AND form = ?3",
            key.sid, key.mid, number(key.form), std::int64_t{change.packet_id});
        sizes.add(key.sid, 0, -*bytes);
    }
    return bytes.has_value();
}

void apply_changes(Db& db, const FoldedBatch& batch, QueueSizes& sizes) {
    std::vector<broker::Mid> released;
    for (const RowChange& change : batch.changes) {
        if (change.done) {
            if (delete_row(db, change.key, sizes)) {
                released.push_back(change.key.mid);
            }
            continue;
        }
        if (change.sent) {
            db.run(
                "UPDATE queue SET state = 1, packet_id = ?4, n = ?5 "
                "WHERE sid = ?1 AND mid = ?2 AND form = ?3",
                change.key.sid, change.key.mid, number(change.key.form),
                std::int64_t{change.packet_id}, change.order);
        }
        if (change.received && mark_received(db, change, sizes)) {
            released.push_back(change.key.mid);
        }
    }
    release_messages(db, std::move(released));
}

void apply_retained(Db& db, const FoldedBatch& batch, const RetainedTombstones& tombstones) {
    for (const FoldedRetained& r : batch.retained) {
        if (r.payload.empty()) {
            db.run("DELETE FROM retained WHERE topic = ?1 AND rev < ?2", r.topic, r.rev);
        } else if (tombstones.allows(r.topic, r.rev)) {
            Query query = db.query(
                "INSERT INTO retained (topic, rev, qos, payload) VALUES (?1, ?2, ?3, ?4) "
                "ON CONFLICT DO UPDATE SET rev = excluded.rev, qos = excluded.qos, "
                "payload = excluded.payload WHERE excluded.rev > rev",
                r.topic, r.rev, std::int64_t{r.qos});
            query.bind(r.payload);
            query.next();
        }
    }
}

void apply_wills(Db& db, const FoldedBatch& batch) {
    for (const FoldedWill& w : batch.wills) {
        if (!w.will) {
            db.run("DELETE FROM wills WHERE sid = ?1", w.sid);
            continue;
        }
        Query query = db.query(
            "INSERT OR REPLACE INTO wills (sid, qos, retain, topic, payload) "
            "VALUES (?1, ?2, ?3, ?4, ?5)",
            w.sid, std::int64_t{w.will->qos}, w.will->retain, w.will->topic);
        query.bind(w.will->payload);
        query.next();
    }
}

void apply_away(Db& db, const FoldedBatch& batch) {
    for (const FoldedAway& a : batch.away) {
        db.run("UPDATE sessions SET away_since_s = ?2 WHERE sid = ?1", a.sid, a.since_s);
    }
}

}  // namespace

void release_messages(Db& db, std::vector<broker::Mid> mids) {
    std::sort(mids.begin(), mids.end());
    for (auto at = mids.begin(); at != mids.end();) {
        const auto end = std::upper_bound(at, mids.end(), *at);
        const std::int64_t count = end - at;
        db.run("DELETE FROM messages WHERE mid = ?1 AND refs <= ?2", *at, count);
        if (!db.failed() && db.changes() == 0) {
            db.run("UPDATE messages SET refs = refs - ?2 WHERE mid = ?1", *at, count);
        }
        at = end;
    }
}

void apply_batch(Db& db, const FoldedBatch& batch, const RetainedTombstones& tombstones) {
    apply_sessions(db, batch);
    apply_subscriptions(db, batch);
    apply_inbound(db, batch);
    QueueSizes sizes;
    apply_messages(db, batch, sizes);
    apply_changes(db, batch, sizes);
    sizes.apply(db);
    apply_retained(db, batch, tombstones);
    apply_wills(db, batch);
    apply_away(db, batch);
}

}  // namespace iotsky::storage
