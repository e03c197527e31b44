#include "storage/record_fold.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace iotsky::storage {
namespace {

using broker::Sid;
using State = broker::StoredMessage::State;

struct QueueKeyHash {
    // Numbers of our own making: nobody aims at a bucket.
    std::size_t operator()(const QueueKey& key) const noexcept {
        const std::uint64_t mixed =
            key.mid * 0x9e3779b97f4a7c15U ^ (key.sid << 1U | static_cast<unsigned>(key.form));
        return mixed ^ mixed >> 32U;
    }
};

/// Takes the records one by one; finish() makes the result.
class Fold final : public broker::RecordVisitor {
  public:
    explicit Fold(const LiveSessions& live) : live_(live) {}

    void on(const broker::SessionOpenRecord& r) override {
        opened_.emplace(r.sid, r);
        out_.counters.sid = std::max(out_.counters.sid, r.sid);
    }
    void on(const broker::SessionEndRecord& r) override { ended_.insert(r.sid); }
    void on(const broker::SubscribeRecord& r) override {
        subscriptions_[{r.sid, r.filter}] = r.qos;
    }
    void on(const broker::UnsubscribeRecord& r) override {
        subscriptions_[{r.sid, r.filter}] = std::nullopt;
    }
    void on(const broker::PublishRecord& r) override;
    void on(const broker::ReleaseInRecord& r) override { inbound(r.sid, r.packet_id, false); }
    void on(const broker::SentRecord& r) override;
    void on(const broker::ReceivedRecord& r) override;
    void on(const broker::DoneRecord& r) override;
    void on(const broker::WillRecord& r) override { wills_[r.sid] = r; }
    void on(const broker::WillOffRecord& r) override { wills_[r.sid] = std::nullopt; }
    void on(const broker::SessionAwayRecord& r) override {
        away_[r.sid] = r.since_s;
        note_uptime(r.since_s.value_or(0));
    }
    void on(const broker::UptimeRecord& r) override { note_uptime(r.uptime_s); }

    [[nodiscard]] FoldedBatch finish();

  private:
    struct Inbound {
        bool began_released = false;  ///< the first record released it: a row may exist
        bool held = false;
    };
    void inbound(Sid sid, std::uint16_t packet_id, bool held);
    void retained(const broker::PublishRecord& r);
    void note_uptime(std::uint64_t uptime_s) {
        out_.counters.uptime_s = std::max(out_.counters.uptime_s, uptime_s);
    }
    FoldedRow* row(const QueueKey& key);
    RowChange& change(const QueueKey& key);
    [[nodiscard]] bool exists(Sid sid) const;
    void finish_sessions();
    void finish_messages();
    void finish_session_state();

    const LiveSessions& live_;
    FoldedBatch out_;
    std::map<Sid, broker::SessionOpenRecord> opened_;
    std::unordered_set<Sid> ended_;
    std::map<std::pair<Sid, std::string_view>, std::optional<std::uint8_t>> subscriptions_;
    std::map<std::pair<Sid, std::uint16_t>, Inbound> inbound_;
    std::vector<FoldedMessage> messages_;  // their rows are in rows_
    std::vector<FoldedRow> rows_;          // sid 0: delivered inside the batch
    std::vector<RowChange> changes_;
    std::unordered_map<QueueKey, std::size_t, QueueKeyHash> row_places_;
    std::unordered_map<QueueKey, std::size_t, QueueKeyHash> change_places_;
    std::unordered_map<std::string_view, FoldedRetained, KeyedHash, std::equal_to<>> retained_;
    std::map<Sid, std::optional<broker::WillRecord>> wills_;
    std::map<Sid, std::optional<std::uint64_t>> away_;
};

void Fold::on(const broker::PublishRecord& r) {
    out_.counters.mid = std::max(out_.counters.mid, r.mid);
    if (r.inbound_id != 0) {
        inbound(r.publisher, r.inbound_id, true);
    }
    if (r.retain) {
        retained(r);
    }
    if (r.targets.empty()) {
        return;
    }
    messages_.push_back({r.mid, r.replay, r.topic, r.payload, rows_.size(), r.targets.size(), 0});
    for (const broker::PublishTarget& target : r.targets) {
        const QueueKey key{target.sid, r.mid, target.form};
        row_places_.emplace(key, rows_.size());
        rows_.push_back({key, target.qos, State::queued, 0, 0,
                         broker::queue_cost(r.topic.size(), r.payload.size())});
    }
}

// Two threads publish to one topic: the log's order may differ from that of the revisions, which is
// the order that subscribers saw.
void Fold::retained(const broker::PublishRecord& r) {
    const FoldedRetained value{r.topic, r.payload, r.qos, r.retained_rev};
    const auto [at, is_new] = retained_.try_emplace(r.topic, value);
    if (!is_new && at->second.rev < value.rev) {
        at->second = value;
    }
}

void Fold::inbound(Sid sid, std::uint16_t packet_id, bool held) {
    const auto [at, is_new] = inbound_.try_emplace({sid, packet_id});
    at->second.began_released = is_new ? !held : at->second.began_released;
    at->second.held = held;
}

FoldedRow* Fold::row(const QueueKey& key) {
    const auto found = row_places_.find(key);
    return found == row_places_.end() ? nullptr : &rows_[found->second];
}

RowChange& Fold::change(const QueueKey& key) {
    const auto [at, is_new] = change_places_.try_emplace(key, changes_.size());
    if (is_new) {
        changes_.push_back({key, false, false, false, 0, 0});
    }
    return changes_[at->second];
}

void Fold::on(const broker::SentRecord& r) {
    const QueueKey key{r.sid, r.mid, r.form};
    if (FoldedRow* made = row(key)) {
        made->state = State::sent;
        made->packet_id = r.packet_id;
        made->order = r.order;
        return;
    }
    RowChange& changed = change(key);
    changed.sent = true;
    changed.packet_id = r.packet_id;
    changed.order = r.order;
}

void Fold::on(const broker::ReceivedRecord& r) {
    const QueueKey key{r.sid, r.mid, r.form};
    if (FoldedRow* made = row(key)) {
        made->state = State::received;
        made->packet_id = r.packet_id;
        made->bytes = 0;
        return;
    }
    RowChange& changed = change(key);
    changed.received = true;
    changed.packet_id = r.packet_id;
}

void Fold::on(const broker::DoneRecord& r) {
    const QueueKey key{r.sid, r.mid, r.form};
    if (FoldedRow* made = row(key)) {
        made->key.sid = 0;  // finish() leaves it out
    } else {
        change(key).done = true;
    }
}

bool Fold::exists(Sid sid) const {
    return !ended_.contains(sid) && (live_.contains(sid) || opened_.contains(sid));
}

FoldedBatch Fold::finish() {
    finish_sessions();
    finish_messages();
    finish_session_state();
    out_.retained.reserve(retained_.size());
    for (const auto& [topic, value] : retained_) {
        out_.retained.push_back(value);
    }
    return std::move(out_);
}

void Fold::finish_sessions() {
    for (const Sid sid : ended_) {
        if (live_.contains(sid)) {
            out_.ended.push_back(sid);
        }
    }
    for (const auto& [sid, record] : opened_) {
        if (!ended_.contains(sid)) {
            out_.opened.push_back(record);
        }
    }
}

void Fold::finish_messages() {
    for (FoldedMessage message : messages_) {
        const auto rows = std::span{rows_}.subspan(message.first_row, message.row_count);
        message.first_row = out_.rows.size();
        for (const FoldedRow& made : rows) {
            if (made.key.sid != 0 && exists(made.key.sid)) {
                out_.rows.push_back(made);
                message.refs += made.state == State::received ? 0U : 1U;
            }
        }
        message.row_count = out_.rows.size() - message.first_row;
        if (message.row_count > 0) {
            out_.messages.push_back(message);
        }
    }
    for (const RowChange& changed : changes_) {
        if (exists(changed.key.sid)) {
            out_.changes.push_back(changed);
        }
    }
}

void Fold::finish_session_state() {
    for (const auto& [key, qos] : subscriptions_) {
        if (exists(key.first)) {
            out_.subscriptions.push_back({key.first, key.second, qos});
        }
    }
    for (const auto& [key, identifier] : inbound_) {
        // Held and released inside the batch: no row before, none after.
        if (exists(key.first) && (identifier.held || identifier.began_released)) {
            out_.inbound.push_back({key.first, key.second, identifier.held});
        }
    }
    for (const auto& [sid, will] : wills_) {
        if (exists(sid)) {
            out_.wills.push_back({sid, will});
        }
    }
    for (const auto& [sid, since_s] : away_) {
        if (exists(sid)) {
            out_.away.push_back({sid, since_s});
        }
    }
}

}  // namespace

FoldedBatch fold(std::span<const broker::RecordChunk> chunks, const LiveSessions& live) {
    Fold folding(live);
    for (const broker::RecordChunk& chunk : chunks) {
        IOTSKY_ASSERT(broker::visit_records(chunk, folding));
    }
    return folding.finish();
}

}  // namespace iotsky::storage
