#include "tests/simulation/tables.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/bytes.hpp"

namespace iotsky::simulation {

using broker::Sid;

void Tables::apply(const broker::RecordChunk& chunk) {
    if (!broker::visit_records(chunk, *this)) {
        throw std::logic_error("a damaged chunk reached the store");
    }
}

void Tables::on(const broker::SessionOpenRecord& r) {
    sessions_[r.sid] = {std::string{r.scope}, std::string{r.client_id}, r.epoch, {}, {}, {}, {}};
    counters_.sid = std::max(counters_.sid, r.sid);
}

void Tables::on(const broker::SessionEndRecord& r) {
    const auto found = sessions_.find(r.sid);
    if (found == sessions_.end()) {
        return;
    }
    for (const auto& [key, row] : found->second.queue) {
        unref(key.first, row);
    }
    sessions_.erase(found);
}

void Tables::on(const broker::SubscribeRecord& r) {
    sessions_.at(r.sid).subscriptions[std::string{r.filter}] = r.qos;
}
void Tables::on(const broker::UnsubscribeRecord& r) {
    sessions_.at(r.sid).subscriptions.erase(std::string{r.filter});
}

void Tables::on(const broker::PublishRecord& r) {
    counters_.mid = std::max(counters_.mid, r.mid);
    Message message{std::string{r.topic}, std::string{as_text(r.payload)}, r.replay, 0};
    for (const auto& target : r.targets) {
        // A session that ended meanwhile: its rows would be garbage.
        if (const auto session = sessions_.find(target.sid); session != sessions_.end()) {
            session->second.queue[{r.mid, target.form}] = {
                target.qos, broker::StoredMessage::State::queued, 0, 0};
            ++message.refs;
        }
    }
    if (message.refs > 0) {
        messages_[r.mid] = std::move(message);
    }
    if (r.inbound_id != 0 && sessions_.contains(r.publisher)) {
        sessions_.at(r.publisher).inbound.insert(r.inbound_id);
    }
    if (r.retain) {
        RetainedRow& kept = retained_[std::string{r.topic}];
        if (r.retained_rev > kept.rev) {  // a deletion keeps its row as a tombstone
            kept = {std::string{as_text(r.payload)}, r.qos, r.retained_rev};
        }
    }
}

void Tables::on(const broker::ReleaseInRecord& r) {
    sessions_.at(r.sid).inbound.erase(r.packet_id);
}

Tables::Row* Tables::row(Sid sid, broker::Mid mid, broker::Form form) {
    const auto session = sessions_.find(sid);
    if (session == sessions_.end()) {
        return nullptr;
    }
    const auto found = session->second.queue.find({mid, form});
    return found == session->second.queue.end() ? nullptr : &found->second;
}

void Tables::on(const broker::SentRecord& r) {
    Row* found = row(r.sid, r.mid, r.form);
    // Behind PUBREC only where a log is broken on purpose.
    if (found != nullptr && found->state != broker::StoredMessage::State::received) {
        *found = {found->qos, broker::StoredMessage::State::sent, r.packet_id, r.order};
    }
}

void Tables::on(const broker::ReceivedRecord& r) {
    if (Row* found = row(r.sid, r.mid, r.form)) {
        unref(r.mid, *found);
        found->state = broker::StoredMessage::State::received;
        found->packet_id = r.packet_id;
    }
}

void Tables::on(const broker::DoneRecord& r) {
    if (const Row* found = row(r.sid, r.mid, r.form)) {
        unref(r.mid, *found);
        sessions_.at(r.sid).queue.erase({r.mid, r.form});
    }
}

void Tables::on(const broker::WillRecord& r) {
    sessions_.at(r.sid).will =
        Will{std::string{r.topic}, std::string{as_text(r.payload)}, r.qos, r.retain};
}

void Tables::on(const broker::WillOffRecord& r) {
    if (const auto session = sessions_.find(r.sid); session != sessions_.end()) {
        session->second.will.reset();
    }
}

void Tables::unref(broker::Mid mid, const Row& row) {
    if (row.state == broker::StoredMessage::State::received) {
        return;  // PUBLISH is never sent again: the message was given back at PUBREC
    }
    const auto found = messages_.find(mid);
    if (found != messages_.end() && --found->second.refs == 0) {
        messages_.erase(found);
    }
}

std::size_t Tables::queue_rows() const {
    std::size_t rows = 0;
    for (const auto& [sid, session] : sessions_) {
        rows += session.queue.size();
    }
    return rows;
}

void Tables::recover(broker::RecoveryVisitor& visitor) const {
    for (const auto& [sid, session] : sessions_) {
        if (!visitor.on_session(sid, session.scope, session.client_id, session.epoch)) {
            continue;
        }
        for (const auto& [filter, qos] : session.subscriptions) {
            visitor.on_subscription(filter, qos);
        }
        std::vector<std::pair<QueueKey, Row>> rows(session.queue.begin(), session.queue.end());
        std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
            const auto rank = [](const Row& row) {
                return row.state == broker::StoredMessage::State::queued ? UINT64_MAX : row.order;
            };
            return rank(a.second) < rank(b.second);
        });
        for (const auto& [key, row] : rows) {
            const bool needed = row.state != broker::StoredMessage::State::received;
            const Message message = needed ? messages_.at(key.first) : Message{};
            visitor.on_message({key.first, message.topic, as_bytes(message.payload), row.qos,
                                key.second, message.replay, row.state, row.packet_id, row.order});
        }
        for (const std::uint16_t id : session.inbound) {
            visitor.on_inbound(id);
        }
        if (session.will) {
            visitor.on_will(session.will->topic, as_bytes(session.will->payload), session.will->qos,
                            session.will->retain);
        }
    }
}

void Tables::recover_retained(
    const std::function<void(const broker::StoredRetained&)>& visit) const {
    for (const auto& [topic, row] : retained_) {
        visit({topic, as_bytes(row.payload), row.qos, row.rev});
    }
}

}  // namespace iotsky::simulation
