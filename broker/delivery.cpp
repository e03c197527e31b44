#include "broker/delivery.hpp"

#include <algorithm>

#include "broker/mqtt/topic.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {

void Delivery::new_message(TurnNo turn) {
    arrival_turn_ = turn;
    s_.outbox.new_message();
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
        if (qos > 0) {
            not_taken(session, message, form, DoneWhy::acknowledged);
        }
        return;
    }
    if (session.recheck && !s_.rights.may_receive(session, message.topic)) {
        s_.account.dropped(session, message.topic, DoneWhy::denied);
        if (qos > 0) {
            not_taken(session, message, form, DoneWhy::denied);
        }
        return;
    }
    if (qos == 0) {
        deliver_qos0(session, message, form);
    } else {
        enqueue(session, message, qos, form);
    }
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

/// Its row, if there is one, is done with.
void Delivery::not_taken(Session& session, const MessageView& message, Form form, DoneWhy why) {
    if (session.persistent()) {
        s_.record(session, DoneRecord{session.sid, message.mid, form, why});
    }
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

void Delivery::enqueue(Session& session, const MessageView& message, std::uint8_t qos, Form form) {
    if (!session.kept && s_.memory_stage() >= MemoryStage::clean_queues &&
        session.queued_bytes >= s_.fair_share_bytes()) {
        // R4: what a clean session would have to keep; it is gone with its connection anyway.
        ++session.dropped_quota;
        s_.stats.dropped_memory.add();
        s_.notices.queue_full(session, message.topic, Quota::session);
        return;
    }
    const std::size_t cost = queue_cost(message.topic.size(), message.payload.size());
    if (!make_room(session, message, form, cost)) {
        return;
    }
    if (s_.disk_queue.takes(session, cost)) {
        s_.disk_queue.arrived(session, message.mid, cost);
    } else {
        s_.outbox.add(session, message, qos, form,
                      s_.answers_early(session) ? 0
                      : session.persistent()    ? s_.turn.current()
                                                : arrival_turn_);
    }
    s_.account.note_pressure(session);
}

bool Delivery::make_room(Session& session, const MessageView& message, Form form,
                         std::size_t cost) {
    Quota quota = s_.account.exceeded(session, cost);
    if (quota == Quota::none) {
        return true;
    }
    if (s_.limits.queue_full == QueueFull::drop_oldest) {
        quota = drop_oldest(session, cost, quota);
        if (quota == Quota::none) {
            return true;
        }
    } else if (s_.limits.queue_full == QueueFull::refuse && !message.droppable) {
        return true;  // acknowledged because the queue had room when it was published
    }
    s_.account.dropped(session, message.topic, DoneWhy::quota, quota);
    not_taken(session, message, form, DoneWhy::quota);
    return false;
}

/// None: there is room, or will be when the disk's oldest page has come.
Quota Delivery::drop_oldest(Session& session, std::size_t cost, Quota quota) {
    std::size_t freed = 0;
    while (const std::size_t dropped = s_.outbox.drop_first(session, quota)) {
        freed += dropped;
        const bool others_fill_it = quota != Quota::session;
        quota = s_.account.exceeded(session, cost);
        // Of what others fill, too, it gave up what it takes.
        if (quota == Quota::none || (others_fill_it && freed >= cost)) {
            return Quota::none;
        }
    }
    return s_.disk_queue.drop_oldest(session, cost, quota) ? Quota::none : quota;
}

void Delivery::shed_largest() {
    Session* largest = nullptr;
    s_.sessions.for_each([&](Session& session) {
        if (largest == nullptr || session.memory_bytes() > largest->memory_bytes()) {
            largest = &session;
        }
    });
    if (largest != nullptr && !s_.disk_queue.let_go(*largest)) {  // else the disk has it
        s_.outbox.shed(*largest);
    }
}

}  // namespace iotsky::broker
