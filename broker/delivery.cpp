#include "broker/delivery.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.hpp"
#include "broker/mqtt/topic.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

/// How soon a session that is full because of others is seen to have room again.
constexpr std::chrono::seconds kLookEvery{1};

}  // namespace

void Delivery::new_message(TurnNo turn) {
    copy_ = {};
    arrival_turn_ = turn;
    s_.sender.new_message();
}

void Delivery::deliver(const MessageView& message, const Target& target) {
    // A stale reference: the session ended after the route was read. Nothing acknowledged is lost,
    // its durable rows died with SESSION_END.
    if (Session* session = s_.sessions.find(target.session)) {
        deliver(*session, message, std::min(message.qos, target.qos),
                target.form);  // [MQTT-3.8.4-6]
    }
}

void Delivery::deliver(Session& session, const MessageView& message, std::uint8_t qos, Form form) {
    if (session.sealed) {
        return;  // being ended: SESSION_END cancels its rows
    }
    if (message.retained_rev != 0 && message.retained_rev <= session.replayed_max &&
        already_replayed(session, message, form, qos)) {
        if (session.persistent() && qos > 0) {
            s_.record(session, DoneRecord{session.sid, message.mid, form, DoneWhy::acknowledged});
        }
        return;
    }
    if (session.recheck && !may_receive(session, message.topic)) {
        ++session.dropped_denied;
        s_.stats.dropped_denied.add();
        if (session.persistent() && qos > 0) {
            s_.record(session, DoneRecord{session.sid, message.mid, form, DoneWhy::denied});
        }
        return;
    }
    if (qos == 0) {
        deliver_qos0(session, message, form);
    } else {
        enqueue(session, message, qos, form);
    }
}

bool Delivery::may_receive(Session& session, std::string_view topic) const {
    return session.rights == nullptr ||
           session.rights->evaluate(acl::Action::receive, topic, s_.time.wall).allowed;
}

// A replay that began after this message became the retained one has it already (`dataplane.md` 3).
// Of the subscriptions of this form that match, those whose replay ended before it still want it
// live.
bool Delivery::already_replayed(const Session& session, const MessageView& message, Form form,
                                std::uint8_t& qos) const {
    int wanted = -1;
    for (const auto& [written, subscription] : session.subscriptions) {
        if (subscription.form != form || subscription.replayed_to >= message.retained_rev) {
            continue;
        }
        for (const std::string& filter : subscription.canonical) {
            if (mqtt::matches(filter, message.topic)) {
                wanted = std::max(wanted, int{std::min(subscription.qos, message.qos)});
            }
        }
    }
    if (wanted < 0) {
        return true;
    }
    qos = static_cast<std::uint8_t>(wanted);
    return false;
}

void Delivery::deliver_qos0(Session& session, const MessageView& message, Form form) {
    Connection* c = session.connection;
    if (c == nullptr || !c->open) {
        return;  // QoS 0 is not kept for clients that are away (section 4.1 leaves it to the
                 // server)
    }
    if (s_.sender.is_full(*c)) {
        ++session.dropped_output;
        s_.stats.dropped_output.add();
        return;
    }
    if (!c->out.empty() && s_.memory_stage() >= MemoryStage::qos0) {
        s_.stats.dropped_memory.add();  // R4: QoS 0 that would have to wait goes first
        return;
    }
    s_.sender.publish(*c, message, 0, form, 0, false);  // [MQTT-4.3.1-1]
}

bool Delivery::make_room(Session& session, const MessageView& message, Form form) {
    const std::size_t cost = queue_cost(message.topic.size(), message.payload.size());
    const bool oldest = s_.limits.queue_full == QueueFull::drop_oldest;
    Quota quota = exceeded(session, cost);
    std::size_t freed = 0;
    while (oldest && quota != Quota::none) {
        if (quota != Quota::session && freed >= cost) {
            return true;  // others fill that one, too: it gave up what it takes
        }
        Lane& lane =
            session.lane1.begun < session.lane1.entries.size() ? session.lane1 : session.lane2;
        if (lane.begun >= lane.entries.size()) {
            break;  // all of it is in flight
        }
        freed += lane.entries[lane.begun].cost_bytes;
        drop_queued(session, lane, lane.begun, DoneWhy::quota);
        quota = exceeded(session, cost);
    }
    if (quota == Quota::none || (oldest && s_.disk_queue.drop_oldest(session, cost))) {
        return true;
    }
    // With `refuse` it was acknowledged because the queue had room when it was published.
    if (s_.limits.queue_full == QueueFull::refuse && !message.droppable) {
        return true;
    }
    ++session.dropped_quota;
    s_.stats.dropped_quota.add();
    if (session.persistent()) {
        s_.record(session, DoneRecord{session.sid, message.mid, form, DoneWhy::quota});
    }
    s_.notices.queue_full(session, message.topic, quota);
    return false;
}

Quota Delivery::exceeded(const Session& session, std::size_t cost) const noexcept {
    if (session.queued_bytes + cost > session.queue_bytes_max ||
        session.queued_messages >= session.limits->queue_messages_max) {
        return Quota::session;
    }
    // Those who are away must not hold up those who are here.
    if (!session.keeps_waiting()) {
        return Quota::none;
    }
    const std::size_t project_max = s_.limits.queue_bytes_per_project_max;
    if (project_max != 0 && session.project_queue != nullptr &&
        session.project_queue->bytes.load(std::memory_order_relaxed) + cost > project_max) {
        return Quota::project;
    }
    const std::size_t broker_max = s_.limits.queue_bytes_broker_max;
    return broker_max != 0 && s_.shared.queued_bytes() + cost > broker_max ? Quota::broker
                                                                           : Quota::none;
}

void Delivery::enqueue(Session& session, const MessageView& message, std::uint8_t qos, Form form) {
    if (!session.kept && s_.memory_stage() >= MemoryStage::clean_queues &&
        session.queued_bytes >= s_.fair_share_bytes()) {
        // R4: what a clean session would have to keep; it is gone with its connection anyway.
        ++session.dropped_quota;
        s_.stats.dropped_memory.add();
        s_.notices.queue_full(session, message.topic, Quota::session);
        return;
    }
    if (!make_room(session, message, form)) {
        return;
    }
    const std::size_t cost = queue_cost(message.topic.size(), message.payload.size());
    if (s_.disk_queue.takes(session, cost)) {
        s_.disk_queue.arrived(session, message.mid, cost);
        note_pressure(session);
        return;
    }
    Lane& lane = session.lane(qos);
    OutEntry entry;
    entry.mid = message.mid;
    entry.qos = qos;
    entry.form = form;
    entry.turn = s_.answers_early(session) ? 0
                 : session.persistent()    ? s_.turn.current()
                                           : arrival_turn_;
    Connection* c = session.connection;
    const bool at_once = qos == 1 && !session.kept && c != nullptr && c->open &&
                         lane.begun == lane.entries.size() &&
                         lane.in_flight < session.limits->inflight_max && s_.sender.has_room(*c);
    if (at_once) {
        // A clean session never resends: nothing but the identifier has to be kept.
        entry.state = OutEntry::State::sent;
        entry.order = session.next_order++;
        entry.packet_id = take_packet_id(session);
        session.last_packet_id = entry.packet_id;
        s_.sender.publish(*c, message, 1, form, entry.packet_id, false);
        count_in(session, 0);
        lane.entries.push_back(std::move(entry));
        ++lane.begun;
        ++lane.in_flight;
        note_pressure(session);
        return;
    }
    if (!copy_) {
        copy_ = s_.messages.copy_of(message);
    }
    entry.message = copy_;
    entry.cost_bytes = static_cast<std::uint32_t>(cost);
    count_in(session, cost);
    lane.entries.push_back(std::move(entry));  // in order [MQTT-4.6.0-5], [MQTT-4.6.0-6]
    pump(session, lane);                       // or kept while away [MQTT-3.1.2-5]
    note_pressure(session);
}

void Delivery::count_in(Session& session, std::size_t cost) {
    ++session.queued_messages;
    s_.stats.queued_messages.add();
    add_bytes(session, cost);
}

void Delivery::count_in_stored(Session& session, const QueueSize& size) {
    session.queued_messages = size.messages;
    s_.stats.queued_messages.add(size.messages);
    add_bytes(session, size.bytes);
}

void Delivery::add_bytes(Session& session, std::size_t bytes) {
    session.queued_bytes += bytes;
    s_.stats.queued_bytes.add(bytes);
    if (session.project_queue != nullptr && bytes > 0) {
        session.project_queue->bytes.fetch_add(bytes, std::memory_order_relaxed);
    }
}

void Delivery::sub_bytes(Session& session, std::size_t bytes) {
    session.queued_bytes -= bytes;
    s_.stats.queued_bytes.sub(bytes);
    if (session.project_queue != nullptr && bytes > 0) {
        session.project_queue->bytes.fetch_sub(bytes, std::memory_order_relaxed);
    }
}

void Delivery::join_project(Session& session) {
    const std::string_view name = session.identity->class_name.empty()
                                      ? std::string_view{}
                                      : project_of(session.identity->name);
    std::shared_ptr<ProjectQueue> queue = name.empty() ? nullptr : s_.shared.projects.get(name);
    if (queue == session.project_queue) {
        return;
    }
    const std::size_t bytes = session.queued_bytes;
    if (session.project_queue != nullptr) {
        session.project_queue->bytes.fetch_sub(bytes, std::memory_order_relaxed);
    }
    session.project_queue = std::move(queue);
    if (session.project_queue != nullptr) {
        session.project_queue->bytes.fetch_add(bytes, std::memory_order_relaxed);
    }
}

void Delivery::count_out(Session& session, std::size_t cost) {
    --session.queued_messages;
    s_.stats.queued_messages.sub();
    sub_bytes(session, cost);
}

/// Its PUBLISH will not be sent again.
void Delivery::release_bytes(Session& session, OutEntry& entry) {
    sub_bytes(session, entry.cost_bytes);
    entry.cost_bytes = 0;
    entry.message = {};
}

void Delivery::shed_largest() {
    Session* largest = nullptr;
    s_.sessions.for_each([&](Session& session) {
        if (largest == nullptr || session.memory_bytes() > largest->memory_bytes()) {
            largest = &session;
        }
    });
    if (largest == nullptr || s_.disk_queue.let_go(*largest)) {
        return;  // the disk has it
    }
    for (Lane* lane : {&largest->lane1, &largest->lane2}) {
        for (std::size_t n = 0; n < s_.limits.slice && lane->begun < lane->entries.size() &&
                                s_.memory_stage() == MemoryStage::largest;
             ++n) {
            drop_queued(*largest, *lane, lane->entries.size() - 1, DoneWhy::quota);
        }
    }
    note_pressure(*largest);
}

void Delivery::note_pressure(Session& session) {
    if (!s_.watches_pressure) {
        return;
    }
    const std::size_t messages = session.queued_messages;
    const auto reaches = [&](std::size_t quarters) {
        return session.queued_bytes >= session.queue_bytes_max / 4 * quarters ||
               messages >= (session.limits->queue_messages_max * quarters + 3) / 4;
    };
    const std::size_t full_from = session.pressure == Pressure::full ? 3 : 4;
    Pressure now = Pressure::none;
    if (reaches(full_from)) {
        now = Pressure::full;
    } else if (shared_quotas_reach(session, full_from)) {
        now = Pressure::full;
        if (!std::exchange(session.looks_at_shared_quotas, true)) {
            look_again_.push_back(session.ref);
        }
    } else if (session.connection != nullptr && reaches(2)) {
        now = Pressure::half;
    }
    if (now != session.pressure) {
        session.pressure = now;
        s_.shared.pressure.set(session.ref, now);
    }
}

bool Delivery::shared_quotas_reach(const Session& session, std::size_t quarters) const {
    if (!session.keeps_waiting()) {
        return false;
    }
    const auto reached = [&](std::size_t bytes, std::size_t most) {
        return most != 0 && bytes >= most / 4 * quarters;
    };
    return (session.project_queue != nullptr &&
            reached(session.project_queue->bytes.load(std::memory_order_relaxed),
                    s_.limits.queue_bytes_per_project_max)) ||
           reached(s_.shared.queued_bytes(), s_.limits.queue_bytes_broker_max);
}

void Delivery::look_at_shared_quotas(TimePoint now) {
    if (look_again_.empty() || now < next_look_) {
        return;
    }
    next_look_ = now + kLookEvery;
    for (const SessionRef ref : std::exchange(look_again_, {})) {
        if (Session* session = s_.sessions.find(ref)) {
            session->looks_at_shared_quotas = false;
            note_pressure(*session);
        }
    }
}

std::optional<TimePoint> Delivery::next_look() const noexcept {
    return look_again_.empty() ? std::nullopt : std::optional{next_look_};
}

void Delivery::pump(Session& session) {
    pump(session, session.lane1);
    pump(session, session.lane2);
}

void Delivery::pump(Session& session, Lane& lane) {
    while (session.connection != nullptr && session.connection->open &&
           lane.begun < lane.entries.size() && lane.in_flight < session.limits->inflight_max &&
           s_.sender.has_room(*session.connection)) {
        OutEntry& entry = lane.entries[lane.begun];
        if (s_.ages.too_old(entry.mid)) {
            drop_queued(session, lane, lane.begun, DoneWhy::expired);
            continue;
        }
        if (entry.recheck && !may_receive(session, entry.message->topic())) {
            ++session.dropped_denied;
            s_.stats.dropped_denied.add();
            drop_queued(session, lane, lane.begun, DoneWhy::denied);
            continue;
        }
        send(session, lane, entry);
    }
    s_.disk_queue.refill(session);
}

void Delivery::send(Session& session, Lane& lane, OutEntry& entry) {
    entry.state = OutEntry::State::sent;
    entry.order = session.next_order++;
    entry.packet_id = take_packet_id(session);
    session.last_packet_id = entry.packet_id;
    ++lane.begun;
    ++lane.in_flight;
    if (session.persistent()) {
        entry.turn = s_.record(
            session, SentRecord{session.sid, entry.mid, entry.form, entry.packet_id, entry.order});
    }
    Connection& c = *session.connection;
    if (entry.qos == 2) {
        const MsgRef message = entry.message;
        s_.sender.publish_gated(c, message, entry.form, entry.packet_id, false, entry.turn);
        return;
    }
    s_.sender.new_message();
    const LocalMsg& m = *entry.message;
    s_.sender.publish(
        c,
        {m.mid(), m.topic(), m.payload(), m.qos(), m.retain(), 0, m.blob() ? &m.blob() : nullptr},
        1, entry.form, entry.packet_id, false);
    s_.sender.new_message();
}

// DUP is set here and nowhere else: [MQTT-3.3.1-1], [MQTT-3.3.1-3].
void Delivery::resend(Session& session, OutEntry& entry) {
    Connection& c = *session.connection;
    if (entry.state == OutEntry::State::released) {
        s_.sender.answer(c, mqtt::encode_ack(mqtt::PacketType::pubrel, entry.packet_id),
                         entry.turn);
        return;
    }
    if (entry.qos == 2) {
        s_.sender.publish_gated(c, entry.message, entry.form, entry.packet_id, true, entry.turn);
        return;
    }
    const LocalMsg& m = *entry.message;
    s_.sender.publish(
        c,
        {m.mid(), m.topic(), m.payload(), m.qos(), m.retain(), 0, m.blob() ? &m.blob() : nullptr},
        1, entry.form, entry.packet_id, true);
    s_.sender.new_message();
}

void Delivery::on_open(Connection& connection) {
    Session& session = *connection.session;
    std::vector<OutEntry*> in_flight;
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        for (std::size_t i = 0; i < lane->begun; ++i) {
            OutEntry& entry = lane->entries[i];
            if (entry.state == OutEntry::State::sent && entry.recheck &&
                !may_receive(session, entry.message->topic())) {
                ++session.dropped_denied;
                s_.stats.dropped_denied.add();
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
        resend(session, *entry);
    }
    compact(session.lane1);
    compact(session.lane2);
    pump(session);
    note_pressure(session);
    s_.add_work(session);
}

void Delivery::on_room(Connection& connection) {
    if (connection.session != nullptr && connection.open) {
        pump(*connection.session);
        if (!connection.session->replays.empty()) {
            s_.add_work(*connection.session);
        }
    }
}

OutEntry* Delivery::find(Lane& lane, std::uint16_t packet_id) {
    for (std::size_t i = 0; i < lane.begun; ++i) {
        OutEntry& entry = lane.entries[i];
        if (entry.packet_id == packet_id && entry.state != OutEntry::State::done) {
            return &entry;
        }
    }
    return nullptr;
}

void Delivery::finish(Session& session, Lane& lane, OutEntry& entry) {
    count_out(session, entry.cost_bytes);
    entry.cost_bytes = 0;
    entry.message = {};
    entry.state = OutEntry::State::done;
    --lane.in_flight;
}

void Delivery::compact(Lane& lane) {
    while (!lane.entries.empty() && lane.entries.front().state == OutEntry::State::done) {
        lane.entries.pop_front();
        --lane.begun;
    }
}

bool Delivery::on_puback(Session& session, std::uint16_t packet_id) {
    OutEntry* entry = find(session.lane1, packet_id);
    if (entry == nullptr) {
        // Answered before: a PUBACK too many does no harm.
        return find(session.lane2, packet_id) == nullptr;
    }
    if (session.persistent()) {
        s_.record(session, DoneRecord{session.sid, entry->mid, entry->form, DoneWhy::acknowledged});
    }
    finish(session, session.lane1, *entry);  // until now unacknowledged [MQTT-4.3.2-1]
    compact(session.lane1);
    pump(session, session.lane1);
    note_pressure(session);
    return true;
}

bool Delivery::on_pubrec(Session& session, std::uint16_t packet_id) {
    if (session.backlog.in_flight) {
        return true;  // it came before CONNACK left, and what it answers is still on disk: it is
                      // repeated
    }
    TurnNo turn =
        session.last_turn;  // unknown: answered before; the answer waits for whatever concerned it
    if (OutEntry* entry = find(session.lane2, packet_id)) {
        if (entry->state == OutEntry::State::sent) {
            entry->state = OutEntry::State::released;
            release_bytes(session, *entry);  // from now on PUBREL, never PUBLISH [MQTT-4.3.3-1]
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

bool Delivery::on_pubcomp(Session& session, std::uint16_t packet_id) {
    OutEntry* entry = find(session.lane2, packet_id);
    if (entry == nullptr) {
        return find(session.lane1, packet_id) == nullptr;
    }
    if (entry->state != OutEntry::State::released) {
        return false;
    }
    if (session.persistent()) {
        s_.record(session, DoneRecord{session.sid, entry->mid, entry->form, DoneWhy::acknowledged});
    }
    finish(session, session.lane2, *entry);
    compact(session.lane2);
    pump(session, session.lane2);
    note_pressure(session);
    return true;
}

void Delivery::drop_queued(Session& session, Lane& lane, std::size_t index, DoneWhy why) {
    OutEntry& entry = lane.entries[index];
    tell_dropped(session, entry.message->topic(), why);
    if (session.persistent()) {
        s_.record(session, DoneRecord{session.sid, entry.mid, entry.form, why});
    }
    count_out(session, entry.cost_bytes);
    lane.entries.erase(index);
}

void Delivery::tell_dropped(Session& session, std::string_view topic, DoneWhy why) {
    if (why == DoneWhy::quota) {
        ++session.dropped_quota;
        s_.stats.dropped_quota.add();
        s_.notices.queue_full(session, topic, exceeded(session, 0));
    } else if (why == DoneWhy::expired) {
        ++session.dropped_expired;
        s_.stats.dropped_expired.add();
        s_.notices.waited_too_long(session, topic);
    }
}

void Delivery::drop_old(Session& session) {
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        while (lane->begun < lane->entries.size() &&
               s_.ages.too_old(lane->entries[lane->begun].mid)) {
            drop_queued(session, *lane, lane->begun, DoneWhy::expired);
        }
    }
    note_pressure(session);
}

void Delivery::drop_stored(Session& session, const StoredMessage& message, DoneWhy why) {
    tell_dropped(session, message.topic, why);
    s_.record(session, DoneRecord{session.sid, message.mid, message.form, why});
    count_out(session, queue_cost(message.topic.size(), message.payload.size()));
}

void Delivery::restore(Session& session, const StoredMessage& stored) {
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

void Delivery::recheck_queue(Session& session) {
    for (Lane* lane : {&session.lane1, &session.lane2}) {
        for (std::size_t i = 0; i < lane->entries.size(); ++i) {
            OutEntry& entry = lane->entries[i];
            entry.recheck = static_cast<bool>(entry.message);
        }
    }
}

void Delivery::drop_all(Session& session) {
    s_.stats.queued_messages.sub(std::exchange(session.queued_messages, 0));
    sub_bytes(session, session.queued_bytes);
    session.lane1 = {};
    session.lane2 = {};
    session.backlog = {};
    note_pressure(session);
    session.replays.clear();
}

// Identifiers are handed out in turn, so one can only be in use when the counter has gone round
// since the oldest message in flight was sent; far below a full turn nothing needs to be compared
// [MQTT-2.3.1-4].
std::uint16_t Delivery::take_packet_id(Session& session) const {
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
