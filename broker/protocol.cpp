#include "broker/protocol.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "broker/mqtt/decode.hpp"
#include "broker/mqtt/encode.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

constexpr TimePoint kNever = TimePoint::max();

template <typename... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace

Shard::After Protocol::on_bytes(ConnRef ref, std::span<const std::byte> bytes) {
    s_.stats.bytes_in.add(bytes.size());
    return read(ref, bytes);
}

void Protocol::read_on() {
    for (const ConnRef ref : std::exchange(unread_, {})) {
        Connection* c = s_.connections.find(ref);
        if (c == nullptr) {
            continue;
        }
        c->in_unread_list = false;
        if (!c->stopped()) {
            const std::vector<std::byte> bytes = std::exchange(c->unread, {});
            (void)read(ref, bytes);
            if (Connection* still = s_.connections.find(ref);
                still != nullptr && still->unread.empty()) {
                s_.sender.reading_again(*still);
            }
        }
    }
}

Shard::After Protocol::read(ConnRef ref, std::span<const std::byte> bytes) {
    if (Connection* c = s_.connections.find(ref)) {
        s_.throttle.begin_read(*c);
    }
    const Shard::After after = read_packets(ref, bytes);
    if (Connection* c = s_.connections.find(ref)) {
        s_.throttle.end_read(*c);
    }
    return after;
}

bool Protocol::leave(Connection& c, std::size_t packets, std::span<const std::byte> bytes) {
    if (c.state != Connection::State::connected) {
        return false;
    }
    if (c.publishes_in >= c.publishes_stop) {
        s_.throttle.settle(c);
    }
    const bool stopped = c.stopped();
    const bool had_share = packets >= s_.limits.turn_packets_max || stopped;
    if (!had_share || bytes.empty()) {
        return false;
    }
    // The rest in the next turn (fairness), or when the pause ends; nothing more is read meanwhile.
    c.unread.assign(bytes.begin(), bytes.end());
    if (!stopped) {
        go_on(c);
    }
    return true;
}

void Protocol::go_on(Connection& c) {
    if (!c.in_unread_list) {
        c.in_unread_list = true;
        unread_.push_back(c.ref);
    }
}

Shard::After Protocol::read_packets(ConnRef ref, std::span<const std::byte> bytes) {
    for (std::size_t packets = 0;; ++packets) {
        Connection* c = s_.connections.find(ref);
        if (c == nullptr) {
            return Shard::After::gone;
        }
        if (leave(*c, packets, bytes)) {
            return Shard::After::go_on;
        }
        if (c->state == Connection::State::closing) {
            return Shard::After::go_on;  // what comes behind a refusal or an end [MQTT-3.1.4-5]
        }
        const bool had_partial = c->framer.partial();
        const mqtt::FrameResult result = c->framer.next(bytes);
        if (result.kind == mqtt::FrameResult::Kind::error) {
            protocol_error(*c, result.error);
            return s_.connections.find(ref) == nullptr ? Shard::After::gone : Shard::After::go_on;
        }
        if (result.kind == mqtt::FrameResult::Kind::need_more) {
            if (c->framer.partial() && !had_partial) {
                c->partial_since = s_.time.now;
                watch(*c, next_deadline(*c));
            }
            return Shard::After::go_on;
        }
        const auto packet = mqtt::decode(result.frame, mqtt::Direction::from_client, c->level);
        if (!packet) {
            protocol_error(*c, packet.error());
            return s_.connections.find(ref) == nullptr ? Shard::After::gone : Shard::After::go_on;
        }
        s_.stats.packets_in.add();
        ++c->packets_in;
        c->last_packet_at = s_.time.now;
        if (c->state == Connection::State::waiting_for_connect) {
            const auto* connect = std::get_if<mqtt::ConnectView>(&*packet);
            if (connect == nullptr) {
                out_of_order(*c, "the first packet is not CONNECT", "[MQTT-3.1.0-1]");
                return Shard::After::gone;
            }
            s_.connect_handler.on_connect(*c, *connect, bytes);
            // Handed over to its home thread together with the bytes behind CONNECT, or goes on
            // here.
            continue;
        }
        const Verdict verdict = on_packet(*c, *packet);
        if (!verdict.go_on()) {
            if (Connection* still = s_.connections.find(ref)) {
                s_.session_end.close(*still, verdict.close);
            }
        }
    }
}

Verdict Protocol::on_packet(Connection& c, const mqtt::PacketView& packet) {
    Session& session = *c.session;
    return std::visit(
        Overloaded{
            [&](const mqtt::PublishView& p) { return on_publish(c, p); },
            [&](const mqtt::PubackView& p) {
                return acknowledged(c, s_.outbox.on_puback(session, p.packet_id));
            },
            [&](const mqtt::PubrecView& p) {
                return acknowledged(c, s_.outbox.on_pubrec(session, p.packet_id));
            },
            [&](const mqtt::PubrelView& p) { return on_pubrel(c, p.packet_id); },
            [&](const mqtt::PubcompView& p) {
                return acknowledged(c, s_.outbox.on_pubcomp(session, p.packet_id));
            },
            [&](const mqtt::SubscribeView& p) { return s_.subscriptions.on_subscribe(c, p); },
            [&](const mqtt::UnsubscribeView& p) { return s_.subscriptions.on_unsubscribe(c, p); },
            [&](const mqtt::PingreqView&) {
                s_.sender.pingresp(c);
                return Verdict{};
            },
            [&](const mqtt::DisconnectView&) { return Verdict{CloseReason::client_disconnect}; },
            [&](const mqtt::ConnectView&) {
                out_of_order(c, "a second CONNECT", "[MQTT-3.1.0-2]");
                return Verdict{CloseReason::second_connect};
            },
            [&](const auto&) {
                return Verdict{
                    CloseReason::protocol_error};  // a server's packet; decode() refuses it before
            }},
        packet);
}

// A QoS 1 message is answered with PUBACK [MQTT-4.3.2-2], one of QoS 2 with PUBREC and then, behind
// PUBREL, PUBCOMP [MQTT-4.3.3-2]. Ignored, another answer would hold a place in the window for
// ever.
Verdict Protocol::acknowledged(Connection& c, bool fits) {
    if (fits) {
        return {};
    }
    out_of_order(c, "an acknowledgement that does not fit the QoS of its message",
                 "[MQTT-4.8.0-1]");
    return {CloseReason::protocol_error};
}

// [MQTT-3.3.4-1]: nothing at QoS 0, PUBACK at 1 [MQTT-4.3.2-2], PUBREC at 2, each with the
// identifier that came [MQTT-2.3.1-6].
void Protocol::acknowledge(Connection& c, const mqtt::PublishView& packet, TurnNo turn,
                           std::uint32_t call) {
    if (packet.qos == mqtt::Qos::at_least_once) {
        s_.sender.answer(c, mqtt::encode_ack(mqtt::PacketType::puback, packet.packet_id), turn,
                         call);
    } else if (packet.qos == mqtt::Qos::exactly_once) {
        s_.sender.answer(c, mqtt::encode_ack(mqtt::PacketType::pubrec, packet.packet_id), turn,
                         call);
    }
}

/// The answer again, nothing else [MQTT-4.3.3-2]; not before the first one may leave.
Verdict Protocol::on_repeated_publish(Connection& c, const mqtt::PublishView& packet) {
    const Session& session = *c.session;
    acknowledge(c, packet, session.persistent() ? session.last_turn : 0,
                s_.service_calls.find(session, packet.packet_id));
    return {};
}

Verdict Protocol::on_denied_publish(Connection& c, const mqtt::PublishView& packet,
                                    const TopicRights& rights) {
    s_.stats.refused_publish.add();
    const auto action = rights.publish ? acl::Action::retain_publish : acl::Action::publish;
    const std::string_view canonical = rights.canonical;
    s_.notices.denied(*c.session, action, packet.topic,
                      canonical.empty() ? packet.topic : canonical);
    return on_refused_publish(c, packet);
}

Verdict Protocol::on_refused_publish(Connection& c, const mqtt::PublishView& packet) {
    Session& session = *c.session;
    if (session.identity->disconnect_on_denied_publish) {
        return {CloseReason::denied_publish};  // [MQTT-3.3.5-2] allows both
    }
    if (packet.qos == mqtt::Qos::exactly_once) {
        session.inbound.insert(packet.packet_id);
    }
    acknowledge(c, packet, session.persistent() ? session.last_turn : 0);
    return {};
}

Verdict Protocol::on_publish(Connection& c, const mqtt::PublishView& packet) {
    Session& session = *c.session;
    const auto qos = static_cast<std::uint8_t>(packet.qos);
    s_.stats.publishes_in[qos].add();
    s_.stats.payload_bytes_in.add(packet.payload.size());
    ++c.publishes_in;
    if (packet.qos == mqtt::Qos::exactly_once && session.inbound.contains(packet.packet_id)) {
        return on_repeated_publish(c, packet);
    }
    const TopicRights& rights =
        c.topics.find(packet.topic, *session.identity, session.rights, s_.time.wall);
    if (!within_levels(packet.topic, s_.limits)) {
        s_.notices.too_many_levels(session, "publish", packet.topic);
        s_.stats.refused_publish.add();
        return on_refused_publish(c, packet);
    }
    if (!rights.publish || (packet.retain && !rights.retain)) {
        return on_denied_publish(c, packet, rights);
    }
    if (packet.payload.size() > c.payload_bytes_max) {
        s_.notices.payload_too_large(session, "publish", packet.topic, packet.payload.size());
        s_.stats.refused_publish.add();
        return on_refused_publish(c, packet);
    }
    Publication publication;  // has no DUP: it ends here [MQTT-3.3.1-3]
    publication.topic = rights.canonical;
    publication.payload = packet.payload;
    publication.qos = qos;
    publication.retain = packet.retain;  // [MQTT-3.3.1-5], [MQTT-3.3.1-12]
    publication.publisher = &session;
    publication.inbound_id =
        packet.qos == mqtt::Qos::exactly_once ? packet.packet_id : std::uint16_t{0};
    publication.publisher_name = session.identity->name;
    publication.packet = &packet;
    const Published published = s_.router.publish(publication);
    if (published.refused) {
        s_.stats.refused_full.add();
        s_.notices.receiver_full(session, packet.topic);
        return {CloseReason::receiver_full};
    }
    if (s_.router.mailbox_full()) {
        s_.sender.pause_for_mailbox(c);
    }
    if (published.turn != 0 && s_.log_full) {
        s_.sender.pause_for_log(c);  // retained at QoS 0: nothing in its gate holds it back
    }
    return {};
}

void Protocol::on_accepted(Connection& c, const mqtt::PublishView& packet,
                           const Published& published) {
    Session& session = *c.session;
    if (packet.qos == mqtt::Qos::exactly_once) {
        session.inbound.insert(packet.packet_id);
    }
    if (published.call != 0) {
        s_.service_calls.bind(published.call, session,
                              {packet.packet_id, static_cast<std::uint8_t>(packet.qos),
                               published.turn, packet.topic});
    }
    if (published.paced) {
        s_.throttle.pace(c);
    }
    acknowledge(c, packet, published.turn, published.call);
}

Verdict Protocol::on_pubrel(Connection& c, std::uint16_t packet_id) {
    Session& session = *c.session;
    TurnNo turn = session.persistent() ? session.last_turn : 0;
    if (session.inbound.erase(packet_id) && session.persistent()) {
        // Also of a relaxed session: a release that is lost would take the next message under this
        // identifier for a repetition, whoever receives it.
        turn = s_.record_strictly(session, ReleaseInRecord{session.sid, packet_id});
    }
    // [MQTT-4.3.3-2]: PUBCOMP also for an identifier that is not known (any more).
    s_.sender.answer(c, mqtt::encode_ack(mqtt::PacketType::pubcomp, packet_id), turn);
    return {};
}

void Protocol::protocol_error(Connection& c, mqtt::DecodeError error) {
    s_.stats.protocol_errors.add();
    const PeerInfo& peer = c.transport->peer();
    log::info(mqtt::number(error), "protocol error",
              {{"client", c.session != nullptr ? c.session->key.client_id : std::string{}},
               {"thing", c.session != nullptr ? c.session->identity->name : std::string{}},
               {"addr", peer.address},
               {"listener", peer.listener},
               {"reason", mqtt::text(error)},
               {"rule", mqtt::clause(error)}});
    const auto code =
        c.state == Connection::State::waiting_for_connect ? mqtt::refusal(error) : std::nullopt;
    if (code) {
        s_.stats.connects_refused.add();
        c.listener.connects_unreadable.fetch_add(1, std::memory_order_relaxed);
        s_.sender.connack_refused(c, *code);  // [MQTT-3.1.2-2]
        s_.session_end.close(c, CloseReason::connect_refused);
        return;
    }
    s_.session_end.close(c, CloseReason::protocol_error);
}

void Protocol::out_of_order(Connection& c, std::string_view why, std::string_view clause) {
    s_.stats.protocol_errors.add();
    log::info("E3562", "protocol error",
              {{"addr", c.transport->peer().address},
               {"listener", c.transport->peer().listener},
               {"reason", why},
               {"rule", clause}});
    if (c.state == Connection::State::waiting_for_connect) {
        s_.session_end.close(c, CloseReason::protocol_error);
    }
}

void Protocol::watch(Connection& c, TimePoint at) {
    if (at == kNever || (c.timer_at != TimePoint{} && c.timer_at <= at)) {
        return;  // the wheel looks earlier anyway, and schedules again then
    }
    c.timer_at = at;
    s_.wheel.schedule(c.ref, at);
}

void Protocol::watch_connected(Connection& c) {
    watch(c, next_deadline(c));
}

// The earliest moment at which due() could say something.
TimePoint Protocol::next_deadline(const Connection& c) const {
    using std::chrono::milliseconds;
    const ConnectionLimits& limits = c.listener.limits;
    TimePoint at = kNever;
    if (c.state == Connection::State::waiting_for_connect) {
        at = c.accepted_at + limits.connect_timeout;
    } else if (c.state == Connection::State::connected && c.keep_alive_s > 0 &&
               !c.reading_paused()) {
        at = c.last_packet_at + milliseconds{c.keep_alive_s * 1500};  // [MQTT-3.1.2-24]
    }
    if (c.framer.partial() && !c.reading_paused()) {
        at = std::min(at, c.partial_since + limits.packet_timeout);
    }
    if (!c.out.empty() && c.blocked_since != TimePoint{}) {
        const auto patience = c.state == Connection::State::closing ? s_.limits.linger_timeout
                                                                    : limits.stuck_reader_timeout;
        at = std::min(at, c.blocked_since + patience);
    }
    if (c.session != nullptr && c.session->rights->valid_until()) {
        const auto left = *c.session->rights->valid_until() - s_.time.wall;
        at = std::min(at, s_.time.now + std::chrono::duration_cast<TimePoint::duration>(
                                            std::clamp<WallTime::duration>(
                                                left, {}, std::chrono::hours{24})));
    }
    return at;
}

CloseReason Protocol::due(const Connection& c, TimePoint now) const {
    const ConnectionLimits& limits = c.listener.limits;
    if (c.state == Connection::State::waiting_for_connect) {
        return now >= c.accepted_at + limits.connect_timeout ? CloseReason::connect_timeout
                                                             : CloseReason::none;
    }
    if (!c.out.empty() && c.blocked_since != TimePoint{} &&
        now >= c.blocked_since + limits.stuck_reader_timeout) {
        return CloseReason::stuck_reader;
    }
    if (c.session != nullptr && c.session->rights->valid_until() &&
        *c.session->rights->valid_until() <= s_.time.wall) {
        return CloseReason::rights_revoked;
    }
    if (c.reading_paused()) {
        return CloseReason::none;  // R6
    }
    if (c.framer.partial() && now >= c.partial_since + limits.packet_timeout) {
        return CloseReason::packet_timeout;
    }
    const std::chrono::milliseconds keep_alive{c.keep_alive_s * 1500};
    if (c.keep_alive_s > 0 && now >= c.last_packet_at + keep_alive) {
        return CloseReason::keep_alive_timeout;
    }
    return CloseReason::none;
}

void Protocol::on_timer(Connection& c) {
    c.timer_at = {};
    if (c.state == Connection::State::closing) {
        if (s_.time.now >= c.blocked_since + s_.limits.linger_timeout) {
            s_.session_end.destroy(c);  // the peer did not take its last bytes in time
        } else {
            watch(c, c.blocked_since + s_.limits.linger_timeout);
        }
        return;
    }
    const CloseReason reason = due(c, s_.time.now);
    if (reason == CloseReason::none) {
        watch(c, next_deadline(c));
        return;
    }
    if (reason == CloseReason::keep_alive_timeout) {
        s_.stats.keep_alive_timeouts.add();
    }
    if (c.session == nullptr) {
        log::info("", "connection closed",
                  {{"addr", c.transport->peer().address},
                   {"listener", c.transport->peer().listener},
                   {"reason", to_string(reason)}});
    }
    s_.session_end.close(c, reason);
}

}  // namespace iotsky::broker
