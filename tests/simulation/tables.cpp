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

void Tables::forget_tombstones() {
    std::erase_if(retained_, [](const auto& entry) { return entry.second.payload.empty(); });
}

void Tables::on(const broker::SessionOpenRecord& r) {
    sessions_[r.sid] = {
        std::string{r.scope}, std::string{r.client_id}, r.epoch, {}, {}, {}, {}, {}};
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

void Tables::on(const broker::SessionAwayRecord& r) {
    on(broker::UptimeRecord{r.since_s.value_or(0)});
    if (const auto session = sessions_.find(r.sid); session != sessions_.end()) {
        session->second.away_since_s = r.since_s;
    }
}

void Tables::on(const broker::UptimeRecord& r) {
    counters_.uptime_s = std::max(counters_.uptime_s, r.uptime_s);
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

const Tables::Session* Tables::find(std::string_view scope, std::string_view client_id) const {
    const auto found = std::find_if(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
        return entry.second.scope == scope && entry.second.client_id == client_id;
    });
    return found == sessions_.end() ? nullptr : &found->second;
}

bool Tables::has_session(std::string_view scope, std::string_view client_id) const {
    return find(scope, client_id) != nullptr;
}

bool Tables::has_subscription(std::string_view scope, std::string_view client_id,
                              const std::string& filter) const {
    const Session* session = find(scope, client_id);
    return session != nullptr && session->subscriptions.count(filter) != 0;
}

bool Tables::has_inbound(std::string_view scope, std::string_view client_id,
                         std::uint16_t packet_id) const {
    const Session* session = find(scope, client_id);
    return session != nullptr && session->inbound.count(packet_id) != 0;
}

bool Tables::has_in_flight(std::string_view scope, std::string_view client_id,
                           std::uint16_t packet_id) const {
    const Session* session = find(scope, client_id);
    return session != nullptr &&
           std::any_of(session->queue.begin(), session->queue.end(),
                       [&](const auto& entry) { return entry.second.packet_id == packet_id; });
}

bool Tables::has_released(std::string_view scope, std::string_view client_id,
                          std::uint16_t packet_id) const {
    const Session* session = find(scope, client_id);
    return session != nullptr &&
           std::any_of(session->queue.begin(), session->queue.end(), [&](const auto& entry) {
               return entry.second.packet_id == packet_id &&
                      entry.second.state == broker::StoredMessage::State::received;
           });
}

broker::StoredMessage Tables::stored(broker::Mid mid, broker::Form form, const Row& row) const {
    broker::StoredMessage out;
    out.mid = mid;
    out.qos = row.qos;
    out.form = form;
    out.state = row.state;
    out.packet_id = row.packet_id;
    out.order = row.order;
    if (row.state != broker::StoredMessage::State::received) {
        const Message& message = messages_.at(mid);
        out.topic = message.topic;
        out.payload = message.payload;
        out.retain = message.replay;
    }
    return out;
}

broker::QueueSize Tables::queue_size(const Session& session) const {
    broker::QueueSize size;
    for (const auto& [key, row] : session.queue) {
        const broker::StoredMessage message = stored(key.first, key.second, row);
        ++size.messages;
        size.bytes += row.state == broker::StoredMessage::State::received
                          ? 0
                          : broker::queue_cost(message.topic.size(), message.payload.size());
    }
    return size;
}

broker::QueuePage Tables::read(const broker::QueueRead& read) const {
    broker::QueuePage page;
    for (const broker::MidRange& range : read.ranges) {
        page.read_to = std::max(page.read_to, range.last);
    }
    const auto session = sessions_.find(read.sid);
    if (session == sessions_.end()) {
        return page;
    }
    for (const auto& [key, row] : session->second.queue) {
        if (row.state != broker::StoredMessage::State::queued) {
            if (read.in_flight) {
                page.in_flight.push_back(stored(key.first, key.second, row));
            }
            continue;
        }
        const auto wanted = [&, mid = key.first](const auto& range) { return range.holds(mid); };
        if (std::none_of(read.ranges.begin(), read.ranges.end(), wanted) ||
            key.first > page.read_to) {
            continue;
        }
        if (page.queued.size() >= read.messages_max && page.queued.back().mid != key.first) {
            page.read_to = key.first - 1;
            continue;
        }
        page.queued.push_back(stored(key.first, key.second, row));
    }
    std::stable_sort(page.in_flight.begin(), page.in_flight.end(),
                     [](const auto& a, const auto& b) { return a.order < b.order; });
    return page;
}

void Tables::recover(broker::RecoveryVisitor& visitor) const {
    for (const auto& [sid, session] : sessions_) {
        if (!visitor.on_session({sid, session.scope, session.client_id, session.epoch,
                                 queue_size(session), session.away_since_s})) {
            continue;
        }
        for (const auto& [filter, qos] : session.subscriptions) {
            visitor.on_subscription(filter, qos);
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
