#include "broker/outbox.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {

void Outbox::add(Session& session, const MessageView& message, std::uint8_t qos, Form form,
                 TurnNo turn) {
    Lane& lane = session.lane(qos);
    OutEntry entry;
    entry.mid = message.mid;
    entry.qos = qos;
    entry.form = form;
    entry.turn = turn;
    if (qos == 1 && goes_at_once(session, lane)) {
        lane.entries.push_back(std::move(entry));
        OutEntry& sent = lane.entries[lane.begun];
        begin(session, lane, sent);
        s_.account.came(session, 0);
        s_.sender.publish(*session.connection, message, 1, form, sent.packet_id, false);
        return;
    }
    if (!copy_) {
        copy_ = s_.messages.copy_of(message);
    }
    const std::size_t cost = queue_cost(message.topic.size(), message.payload.size());
    entry.message = copy_;
    entry.cost_bytes = static_cast<std::uint32_t>(cost);
    lane.entries.push_back(std::move(entry));  // in order [MQTT-4.6.0-5], [MQTT-4.6.0-6]
    s_.account.came(session, cost);
    pump(session, lane);  // or kept while away [MQTT-3.1.2-5]
}

/// A clean session never resends: nothing but the identifier has to be kept.
bool Outbox::goes_at_once(const Session& session, const Lane& lane) const {
    const Connection* c = session.connection;
    return !session.kept && c != nullptr && c->open && lane.begun == lane.entries.size() &&
           lane.in_flight < session.limits->inflight_max && s_.sender.has_room(*c);
}

void Outbox::restore(Session& session, const StoredMessage& stored) {
    Lane& lane = session.lane(stored.qos);
    OutEntry entry;
    entry.mid = stored.mid;
    entry.qos = stored.qos;
    entry.form = stored.form;
    entry.order = stored.order;
    entry.packet_id = stored.packet_id;
    entry.recheck = true;  // rights may have changed while it was on disk
    if (stored.state == StoredMessage::State::received) {
        entry.state = OutEntry::State::released;
        entry.recheck = false;
    } else {
        entry.state = stored.state == StoredMessage::State::sent ? OutEntry::State::sent
                                                                 : OutEntry::State::queued;
        entry.message = s_.messages.copy_of({stored.mid, stored.topic, as_bytes(stored.payload),
                                             stored.qos, stored.retain, 0, nullptr});
        entry.cost_bytes =
            static_cast<std::uint32_t>(queue_cost(stored.topic.size(), stored.payload.size()));
    }
    if (entry.state != OutEntry::State::queued) {
        ++lane.begun;
        ++lane.in_flight;
        session.next_order = std::max(session.next_order, stored.order + 1);
        session.last_packet_id = stored.packet_id;
    }
    lane.entries.push_back(std::move(entry));
}

void Outbox::pump(Session& session) {
    pump(session, session.lane1);
    pump(session, session.lane2);
}

void Outbox::pump(Session& session, Lane& lane) {
    while (session.connection != nullptr && session.connection->open &&
           lane.begun < lane.entries.size() && lane.in_flight < session.limits->inflight_max &&
           s_.sender.has_room(*session.connection)) {
        OutEntry& entry = lane.entries[lane.begun];
        if (s_.ages.too_old(entry.mid)) {
            drop_queued(session, lane, lane.begun, DoneWhy::expired);
        } else if (!may_send(session, entry)) {
            drop_queued(session, lane, lane.begun, DoneWhy::denied);
        } else {
            send(session, lane, entry);
        }
    }
    s_.disk_queue.refill(session);
}

bool Outbox::may_send(Session& session, const OutEntry& entry) const {
    return !entry.recheck || s_.rights.may_receive(session, entry.message->topic());
}

/// The first of those that wait is on its way from now on.
void Outbox::begin(Session& session, Lane& lane, OutEntry& entry) {
    entry.state = OutEntry::State::sent;
    entry.order = session.next_order++;
    entry.packet_id = take_packet_id(session);
    session.last_packet_id = entry.packet_id;
    ++lane.begun;
    ++lane.in_flight;
}

void Outbox::send(Session& session, Lane& lane, OutEntry& entry) {
    begin(session, lane, entry);
    if (session.persistent()) {
        entry.turn = s_.record(
            session, SentRecord{session.sid, entry.mid, entry.form, entry.packet_id, entry.order});
    }
    publish(*session.connection, entry, false);
}

// DUP is set here and nowhere else: [MQTT-3.3.1-1], [MQTT-3.3.1-3].
void Outbox::resend(Connection& connection, OutEntry& entry) {
    if (entry.state == OutEntry::State::released) {
        s_.sender.answer(connection, mqtt::encode_ack(mqtt::PacketType::pubrel, entry.packet_id),
                         entry.turn);
        return;
    }
    publish(connection, entry, true);
}

void Outbox::publish(Connection& connection, const OutEntry& entry, bool dup) {
    if (entry.qos == 2) {
        const MsgRef message = entry.message;
        s_.sender.publish_gated(connection, message, entry.form, entry.packet_id, dup, entry.turn);
        return;
    }
    s_.sender.new_message();
    s_.sender.publish(connection, entry.message->view(), 1, entry.form, entry.packet_id, dup);
    s_.sender.new_message();
}

void Outbox::on_open(Connection& connection) {
    Session& session = *connection.session;
    std::vector<OutEntry*> in_flight;
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        for (std::size_t i = 0; i < lane->begun; ++i) {
            OutEntry& entry = lane->entries[i];
            if (entry.state == OutEntry::State::sent && !may_send(session, entry)) {
                s_.account.dropped(session, entry.message->topic(), DoneWhy::denied);
                if (session.persistent()) {
                    s_.record(session,
                              DoneRecord{session.sid, entry.mid, entry.form, DoneWhy::denied});
                }
                finish(session, *lane, entry);
            } else if (entry.state != OutEntry::State::done) {
                in_flight.push_back(&entry);
            }
        }
    }
    // [MQTT-4.6.0-1]: in the order in which they were sent first.
    std::sort(in_flight.begin(), in_flight.end(),
              [](auto* a, auto* b) { return a->order < b->order; });
    for (OutEntry* entry : in_flight) {
        resend(connection, *entry);
    }
    compact(session.lane1);
    compact(session.lane2);
    pump(session);
    s_.account.note_pressure(session);
    s_.add_work(session);
}

void Outbox::on_room(Connection& connection) {
    if (connection.session != nullptr && connection.open) {
        pump(*connection.session);
        if (!connection.session->replays.empty()) {
            s_.add_work(*connection.session);
        }
    }
}

OutEntry* Outbox::find(Lane& lane, std::uint16_t packet_id) {
    for (std::size_t i = 0; i < lane.begun; ++i) {
        OutEntry& entry = lane.entries[i];
        if (entry.packet_id == packet_id && entry.state != OutEntry::State::done) {
            return &entry;
        }
    }
    return nullptr;
}

bool Outbox::on_puback(Session& session, std::uint16_t packet_id) {
    OutEntry* entry = find(session.lane1, packet_id);
    if (entry == nullptr) {
        // Answered before: a PUBACK too many does no harm.
        return find(session.lane2, packet_id) == nullptr;
    }
    return acknowledge(session, session.lane1, *entry);  // until now it was not [MQTT-4.3.2-1]
}

bool Outbox::on_pubrec(Session& session, std::uint16_t packet_id) {
    if (session.backlog.in_flight) {
        return true;  // it came before CONNACK left, and what it answers is still on disk: it is
                      // repeated
    }
    TurnNo turn =
        session.last_turn;  // unknown: answered before; the answer waits for whatever concerned it
    if (OutEntry* entry = find(session.lane2, packet_id)) {
        if (entry->state == OutEntry::State::sent) {
            entry->state = OutEntry::State::released;
            // From now on PUBREL, never PUBLISH [MQTT-4.3.3-1].
            s_.account.release(session, std::exchange(entry->cost_bytes, 0));
            entry->message = {};
            if (session.persistent()) {
                entry->turn = s_.record(
                    session, ReceivedRecord{session.sid, entry->mid, entry->form, packet_id});
            }
        }
        turn = entry->turn;
    } else if (find(session.lane1, packet_id) != nullptr) {
        return false;
    }
    s_.sender.answer(*session.connection, mqtt::encode_ack(mqtt::PacketType::pubrel, packet_id),
                     turn);
    return true;
}

bool Outbox::on_pubcomp(Session& session, std::uint16_t packet_id) {
    OutEntry* entry = find(session.lane2, packet_id);
    if (entry == nullptr) {
        return find(session.lane1, packet_id) == nullptr;
    }
    return entry->state == OutEntry::State::released && acknowledge(session, session.lane2, *entry);
}

/// The last answer: true.
bool Outbox::acknowledge(Session& session, Lane& lane, OutEntry& entry) {
    if (session.persistent()) {
        s_.record(session, DoneRecord{session.sid, entry.mid, entry.form, DoneWhy::acknowledged});
    }
    finish(session, lane, entry);
    compact(lane);
    pump(session, lane);
    s_.account.note_pressure(session);
    return true;
}

void Outbox::finish(Session& session, Lane& lane, OutEntry& entry) {
    s_.account.went(session, std::exchange(entry.cost_bytes, 0));
    entry.message = {};
    entry.state = OutEntry::State::done;
    --lane.in_flight;
}

void Outbox::compact(Lane& lane) {
    while (!lane.entries.empty() && lane.entries.front().state == OutEntry::State::done) {
        lane.entries.pop_front();
        --lane.begun;
    }
}

void Outbox::drop_queued(Session& session, Lane& lane, std::size_t index, DoneWhy why,
                         Quota quota) {
    OutEntry& entry = lane.entries[index];
    s_.account.dropped(session, entry.message->topic(), why, quota);
    if (session.persistent()) {
        s_.record(session, DoneRecord{session.sid, entry.mid, entry.form, why});
    }
    s_.account.went(session, entry.cost_bytes);
    lane.entries.erase(index);
}

std::size_t Outbox::drop_first(Session& session, Quota quota) {
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        if (lane->begun < lane->entries.size()) {
            const std::size_t cost = lane->entries[lane->begun].cost_bytes;
            drop_queued(session, *lane, lane->begun, DoneWhy::quota, quota);
            return cost;
        }
    }
    return 0;  // all of it is in flight
}

bool Outbox::drop_old(Session& session) {
    std::size_t left = s_.limits.slice;
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        while (lane->begun < lane->entries.size() &&
               s_.ages.too_old(lane->entries[lane->begun].mid)) {
            if (left-- == 0) {
                return true;
            }
            drop_queued(session, *lane, lane->begun, DoneWhy::expired);
        }
    }
    s_.account.note_pressure(session);
    return false;
}

void Outbox::shed(Session& session) {
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        for (std::size_t n = 0; n < s_.limits.slice && lane->begun < lane->entries.size() &&
                                s_.memory_stage() == MemoryStage::largest;
             ++n) {
            drop_queued(session, *lane, lane->entries.size() - 1, DoneWhy::quota, Quota::session);
        }
    }
    s_.account.note_pressure(session);
}

void Outbox::recheck(Session& session) {
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        for (std::size_t i = 0; i < lane->entries.size(); ++i) {
            OutEntry& entry = lane->entries[i];
            entry.recheck = static_cast<bool>(entry.message);
        }
    }
}

// Identifiers are handed out in turn, so one can only be in use when the counter has gone round
// since the oldest message in flight was sent; far below a full turn nothing needs to be compared
// [MQTT-2.3.1-4].
std::uint16_t Outbox::take_packet_id(Session& session) const {
    constexpr std::uint64_t kSurelyLessThanATurn = 30'000;
    std::uint64_t oldest = session.next_order;
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        if (lane->begun > 0) {
            oldest = std::min(oldest, lane->entries[0].order);
        }
    }
    const bool compare = oldest == 0 || session.next_order - oldest > kSurelyLessThanATurn;
    std::uint16_t id = session.last_packet_id;
    do {
        id = id == 0xffff ? std::uint16_t{1} : static_cast<std::uint16_t>(id + 1);
    } while (compare && (find(session.lane1, id) != nullptr || find(session.lane2, id) != nullptr));
    return id;
}

}  // namespace iotsky::broker
