#include "broker/subscriptions.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "broker/mqtt/encode.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

constexpr std::uint8_t kFailure = 0x80;  // else the granted QoS [MQTT-3.9.3-2]
constexpr std::string_view kShared = "$share/";

}  // namespace

bool Subscriptions::expand(const Session& session, std::string_view filter,
                           Subscription& subscription) const {
    if (!acl::MeAlias::is_alias(filter)) {
        subscription.canonical = {std::string{filter}};
        subscription.form = Form::plain;
        return true;
    }
    auto expanded = session.identity->alias.expand_filter(filter);
    subscription.form = Form::me;
    subscription.canonical = expanded ? std::move(*expanded) : std::vector<std::string>{};
    return expanded.has_value();
}

bool Subscriptions::allowed(const Session& session, const Subscription& subscription) const {
    return std::all_of(
        subscription.canonical.begin(), subscription.canonical.end(),
        [&](const std::string& filter) {
            return session.rights->evaluate(acl::Action::subscribe, filter, s_.time.wall).allowed;
        });
}

void Subscriptions::insert(Session& session, const Subscription& subscription) {
    for (const std::string& filter : subscription.canonical) {
        Subscriber subscriber;
        subscriber.session = session.ref;
        subscriber.sid = session.sid;
        subscriber.qos = subscription.qos;
        subscriber.form = subscription.form;
        subscriber.masked = subscription.masked;
        subscriber.receive = session.rights->receive_class(filter);
        subscriber.rights = session.rights;
        s_.shared.index.insert(filter, subscriber);
    }
}

// Two filters as written may share one canonical filter and form (`$me` and `$me/#` both cover the
// root).
bool Subscriptions::holds(const Session& session, std::string_view canonical, Form form) {
    return std::any_of(
        session.subscriptions.begin(), session.subscriptions.end(), [&](const auto& entry) {
            const Subscription& other = entry.second;
            return other.form == form && std::find(other.canonical.begin(), other.canonical.end(),
                                                   canonical) != other.canonical.end();
        });
}

std::uint8_t Subscriptions::subscribe_one(Session& session, std::string_view filter,
                                          std::uint8_t qos, TurnNo& turn) {
    Subscription subscription;
    subscription.qos = qos;
    const auto existing = session.subscriptions.find(filter);
    const bool is_new = existing == session.subscriptions.end();
    if (filter.starts_with(kShared)) {
        s_.notices.refused_subscribe(session, filter, "shared subscriptions are not served here");
        return kFailure;
    }
    if (!within_levels(filter, s_.limits)) {
        s_.notices.too_many_levels(session, "subscribe", filter);
        return kFailure;
    }
    if (is_new && session.subscriptions.size() >= s_.limits.filters_max) {
        s_.notices.refused_subscribe(session, filter,
                                     "this session has as many subscriptions as are allowed");
        return kFailure;
    }
    if (!expand(session, filter, subscription)) {
        s_.notices.refused_subscribe(
            session, filter, "$me stands for a thing's own topics, and this client is no thing");
        return kFailure;
    }
    if (!allowed(session, subscription)) {
        s_.notices.denied(session, acl::Action::subscribe, filter, subscription.canonical.front());
        return kFailure;
    }
    if (is_new) {
        s_.stats.subscriptions.add();
    }
    Subscription& stored =
        session.subscriptions.insert_or_assign(std::string{filter}, std::move(subscription))
            .first->second;
    insert(session, stored);  // in place of the one before [MQTT-3.8.4-3]
    if (session.persistent()) {
        turn = s_.record(session, SubscribeRecord{session.sid, filter, qos});
    }
    begin_replay(session, stored);
    ask_services(session, stored);
    return qos;
}

Verdict Subscriptions::on_subscribe(Connection& connection, const mqtt::SubscribeView& packet) {
    Session& session = *connection.session;
    std::vector<std::byte> codes;
    TurnNo turn = session.persistent() ? session.last_turn : 0;
    std::vector<std::byte> answer;
    // The SUBACK goes into the gate first in order of packets; its codes are known once every
    // filter was looked at [MQTT-3.8.4-4], in their order [MQTT-3.9.3-1].
    for (const auto request : packet.requests) {
        const auto qos = static_cast<std::uint8_t>(request.qos);
        const std::uint8_t code = subscribe_one(session, request.filter, qos, turn);
        // MQTT 3.1 has no code for a refusal and wants a positive answer to it (its section 3.8).
        codes.push_back(std::byte{connection.level == mqtt::kLevel31 ? qos : code});
    }
    answer.resize(mqtt::suback_size(codes.size()));
    // [MQTT-3.8.4-1], [MQTT-3.8.4-2], [MQTT-3.8.4-5], [MQTT-2.3.1-7]
    mqtt::encode_suback(answer, packet.packet_id, codes);
    s_.sender.answer_large(connection, std::move(answer), turn);
    s_.add_work(session);
    s_.throttle.count_changes(connection, codes.size());
    return {};
}

Verdict Subscriptions::on_unsubscribe(Connection& connection, const mqtt::UnsubscribeView& packet) {
    Session& session = *connection.session;
    TurnNo turn = session.persistent() ? session.last_turn : 0;
    std::size_t changes = 0;
    for (const std::string_view filter : packet.filters) {
        ++changes;
        // Compared as text, character by character [MQTT-3.10.4-1].
        const auto found = session.subscriptions.find(filter);
        if (found == session.subscriptions.end()) {
            continue;
        }
        const Subscription gone = std::move(found->second);
        session.subscriptions.erase(found);
        for (const std::string& canonical : gone.canonical) {
            if (!holds(session, canonical, gone.form)) {
                // Not what is queued [MQTT-3.10.4-2], [MQTT-3.10.4-3].
                (void)s_.shared.index.erase(canonical, session.ref, gone.form);
            }
        }
        s_.stats.subscriptions.sub();
        if (session.persistent()) {
            turn = s_.record(session, UnsubscribeRecord{session.sid, filter});
        }
    }
    // [MQTT-3.10.4-5]: answered also when nothing matched, once [MQTT-3.10.4-6], with its
    // identifier [MQTT-3.10.4-4], [MQTT-2.3.1-7].
    s_.sender.answer(connection, mqtt::encode_unsuback(packet.packet_id), turn);
    s_.throttle.count_changes(connection, changes);
    return {};
}

// The revision is noted after insert(), which ended with its fence: an older retained message comes
// by replay only, a newer one live only (`dataplane.md` 3).
void Subscriptions::begin_replay(Session& session, Subscription& subscription) {
    const Rev rev = s_.shared.retained.rev();  // [MQTT-3.3.1-6]
    subscription.replayed_to = rev;
    session.replayed_max = std::max(session.replayed_max, rev);
    for (const std::string& filter : subscription.canonical) {
        session.replays.push_back({filter, subscription.qos, subscription.form, rev, {}});
    }
}

void Subscriptions::send_retained(Session& session, const Replay& replay,
                                  const Retained& retained) {
    if (!s_.rights.may_receive(session, retained.topic)) {
        s_.account.dropped(session, retained.topic, DoneWhy::denied);
        return;
    }
    const std::uint8_t qos = std::min(replay.qos, retained.qos);  // [MQTT-3.8.4-6]
    MessageView message{s_.next_mid(), retained.topic, as_bytes(retained.payload), qos, true, 0,
                        nullptr};
    TurnNo turn = 0;
    if (session.persistent() && qos > 0) {
        const PublishTarget target{session.sid, qos, replay.form};
        turn =
            s_.record(session, PublishRecord{message.mid, 0, 0, qos, false, true, 0, retained.topic,
                                             message.payload, std::span{&target, 1}});
    }
    BlobRef shared;
    if (message.payload.size() >= kBlobBytesMin) {
        shared = BlobRef::copy_of(message.payload);
        message.payload = shared.bytes();
        message.blob = &shared;
    }
    message.droppable = true;
    s_.delivery.new_message(turn);
    s_.delivery.deliver(session, message, qos, replay.form);
}

bool Subscriptions::replay_slice(Session& session) {
    std::size_t budget = s_.limits.slice;
    while (!session.replays.empty() && budget > 0) {
        if (session.connection == nullptr) {
            session.replays.clear();  // the client left: a new subscription brings a new replay
            return false;
        }
        if (!session.connection->open || !s_.sender.has_room(*session.connection) ||
            session.queued_messages > s_.limits.slice) {
            return true;  // goes on when the peer took bytes or acknowledged
        }
        Replay& replay = session.replays.front();
        found_.clear();
        const std::size_t step = std::min<std::size_t>(budget, 64);
        s_.shared.retained.match(replay.filter, replay.rev_max, replay.cursor, step, found_);
        budget -= step;
        for (const RetainedPtr& retained : found_) {
            send_retained(session, replay, *retained);
        }
        if (replay.cursor.done) {
            session.replays.erase(session.replays.begin());
        }
    }
    return !session.replays.empty();
}

void Subscriptions::ask_services(Session& session, const Subscription& subscription) {
    for (std::size_t i = 0; i < s_.shared.services.size(); ++i) {
        for (const std::string& filter : subscription.canonical) {
            for (const ServiceReply& reply :
                 s_.shared.services.at(i).on_subscribe(filter, *session.identity, s_.time.wall)) {
                s_.delivery.new_message(0);
                s_.delivery.deliver(
                    session,
                    {s_.next_mid(), reply.topic, as_bytes(reply.payload), 0, true, 0, nullptr}, 0,
                    subscription.form);
            }
        }
    }
}

void Subscriptions::remove_all(Session& session) {
    for (const auto& [filter, subscription] : session.subscriptions) {
        for (const std::string& canonical : subscription.canonical) {
            (void)s_.shared.index.erase(canonical, session.ref, subscription.form);
        }
        s_.stats.subscriptions.sub();
    }
    session.subscriptions.clear();
}

void Subscriptions::restore(Session& session, std::string_view filter, std::uint8_t qos) {
    Subscription subscription;
    subscription.qos = qos;
    // An identity that has lost its thing keeps the subscription, masked: rights may come back.
    subscription.masked = !expand(session, filter, subscription) || !allowed(session, subscription);
    const Subscription& stored =
        session.subscriptions.insert_or_assign(std::string{filter}, std::move(subscription))
            .first->second;
    s_.stats.subscriptions.add();
    insert(session, stored);
}

// Never out of the index for a moment: a message that another thread routes meanwhile would be
// lost.
void Subscriptions::apply_rights(Session& session) {
    std::vector<std::pair<std::string, Form>> before;
    for (auto& [filter, subscription] : session.subscriptions) {
        for (std::string& canonical : subscription.canonical) {
            before.emplace_back(std::move(canonical), subscription.form);
        }
        // A renamed thing's `$me` filters are indexed anew.
        subscription.masked =
            !expand(session, filter, subscription) || !allowed(session, subscription);
        insert(session, subscription);
    }
    for (const auto& [canonical, form] : before) {
        if (!holds(session, canonical, form)) {
            (void)s_.shared.index.erase(canonical, session.ref, form);
        }
    }
}

}  // namespace iotsky::broker
