#include "broker/sender.hpp"

#include <algorithm>

#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

constexpr std::chrono::milliseconds kLook{5};

}  // namespace

void Sender::put(Connection& c, std::span<const std::byte> packet) {
    c.out.append(packet);
    c.answer_bytes_out += packet.size();
    mark_dirty(c);
}

void Sender::mark_dirty(Connection& c) {
    if (!c.dirty) {
        c.dirty = true;
        dirty_.push_back(c.ref);
    }
}

void Sender::push_gate(Connection& c, GatedPacket packet) {
    s_.turn.wait_for(packet.turn);
    c.gate.push(std::move(packet));
    if (!c.in_gated_list) {
        c.in_gated_list = true;
        gated_.push_back(c.ref);
    }
    update_pauses(c);
}

bool Sender::opens(const Connection& c, TurnNo turn) const noexcept {
    return c.gate.empty() && turn <= s_.turn.durable() && c.gate_opens_at <= s_.time.now;
}

void Sender::answer(Connection& c, std::span<const std::byte> packet, TurnNo turn,
                    std::uint32_t call) {
    if (call == 0 && opens(c, turn)) {
        put(c, packet);
        update_pauses(c);
        return;
    }
    GatedPacket gated;
    gated.turn = turn;
    gated.call = call;
    gated.length = static_cast<std::uint8_t>(packet.size());
    std::copy(packet.begin(), packet.end(), gated.bytes.begin());
    push_gate(c, std::move(gated));
}

void Sender::pingresp(Connection& c) {
    const auto packet = mqtt::encode_pingresp();  // [MQTT-3.12.4-1]
    if (!c.open) {
        answer(c, packet, 0);  // the gate still holds CONNACK [MQTT-3.2.0-1]
        return;
    }
    put(c, packet);
    update_pauses(c);
}

void Sender::answered(Connection& c, std::uint32_t call, TurnNo turn) {
    s_.turn.wait_for(turn);
    c.gate.answered(call, turn);
    open_gate(c);
}

void Sender::answer_large(Connection& c, std::vector<std::byte> packet, TurnNo turn) {
    if (opens(c, turn)) {
        put(c, packet);
        update_pauses(c);
        return;
    }
    GatedPacket gated;
    gated.turn = turn;
    gated.large = std::make_unique<std::vector<std::byte>>(std::move(packet));
    push_gate(c, std::move(gated));
}

void Sender::connack_accepted(Connection& c, bool session_present, TurnNo turn) {
    GatedPacket gated;
    gated.turn = turn;
    // MQTT 3.1 has no Session Present: that byte is "not used" and stays 0.
    gated.bytes = mqtt::encode_connack(session_present && c.level != mqtt::kLevel31,
                                       mqtt::ConnectCode::accepted);
    gated.length = 4;
    gated.connack = true;  // [MQTT-3.1.4-4]
    push_gate(c, std::move(gated));
    open_gate(c);
}

void Sender::connack_refused(Connection& c, mqtt::ConnectCode code) {
    put(c, mqtt::encode_connack(false, code));
}

bool Sender::has_room(const Connection& c) const noexcept {
    return c.out.size() < s_.limits.out_soft_bytes;
}
bool Sender::is_full(const Connection& c) const noexcept {
    return c.out.size() >= s_.limits.out_hard_bytes;
}

void Sender::encode(const MessageView& message, std::string_view topic, std::uint8_t qos,
                    bool dup) {
    const bool by_reference = message.blob != nullptr;
    const std::size_t size =
        mqtt::publish_size(topic.size(), message.payload.size(), mqtt::Qos{qos});
    encoded_.resize(by_reference ? size - message.payload.size() : size);
    head_ = mqtt::encode_publish_head(encoded_, {dup, mqtt::Qos{qos}, message.retain}, topic, 0,
                                      message.payload.size());
    if (!by_reference) {
        std::copy(message.payload.begin(), message.payload.end(),
                  encoded_.begin() + static_cast<std::ptrdiff_t>(head_.head_bytes));
    }
}

void Sender::publish(Connection& c, const MessageView& message, std::uint8_t qos, Form form,
                     std::uint16_t packet_id, bool dup) {
    const int wanted_class =
        form == Form::me || dup ? kNoClass : int{qos} * 2 + (message.retain ? 1 : 0);
    if (wanted_class == kNoClass || wanted_class != encoded_class_) {
        std::string alias;  // the name that the subscription asked for [MQTT-3.3.2-3]
        if (form == Form::me && c.session != nullptr) {
            alias = c.session->identity->alias.contract(message.topic)
                        .value_or(std::string{message.topic});
        }
        const std::string_view topic = alias.empty() ? message.topic : std::string_view{alias};
        if (mqtt::publish_size(topic.size(), message.payload.size(), mqtt::Qos{qos}) == 0) {
            return;  // MQTT cannot carry it under this name
        }
        encode(message, topic, qos, dup);
        encoded_class_ = wanted_class;
    }
    if (qos > 0) {
        mqtt::patch_packet_id(encoded_, head_, packet_id);
    }
    c.out.append(encoded_);
    if (message.blob != nullptr) {
        c.out.append_shared(*message.blob, 0, message.payload.size());
    }
    mark_dirty(c);
    ++c.publishes_out;
    s_.stats.publishes_out[qos].add();
    s_.stats.payload_bytes_out.add(message.payload.size());
}

void Sender::publish_gated(Connection& c, MsgRef message, Form form, std::uint16_t packet_id,
                           bool dup, TurnNo turn) {
    GatedPacket gated;
    gated.turn = turn;
    gated.publish = std::move(message);
    gated.packet_id = packet_id;
    gated.form = form;
    gated.dup = dup;
    push_gate(c, std::move(gated));
    open_gate(c);
}

void Sender::let_out(Connection& c, GatedPacket& packet) {
    if (packet.publish) {
        new_message();
        const LocalMsg& m = *packet.publish;
        MessageView view{m.mid(),
                         m.topic(),
                         m.payload(),
                         m.qos(),
                         m.retain(),
                         0,
                         m.blob() ? &m.blob() : nullptr};
        publish(c, view, 2, packet.form, packet.packet_id, packet.dup);
        new_message();
    } else if (packet.large) {
        put(c, *packet.large);
    } else {
        put(c, std::span{packet.bytes}.first(packet.length));
    }
}

void Sender::open_gate(Connection& c) {
    bool opened = false;
    if (c.gate_opens_at > s_.time.now) {
        return;
    }
    while (GatedPacket* packet = c.gate.first_open(s_.turn.durable())) {
        // R2: a PUBLISH waits for the soft limit; acknowledgements behind it keep their place.
        if (packet->publish && !has_room(c)) {
            break;
        }
        if (packet->connack && !s_.disk_queue.is_ready(*c.session)) {
            break;  // behind CONNACK what was in flight goes first [MQTT-4.4.0-1]
        }
        let_out(c, *packet);
        opened = opened || packet->connack;
        c.gate.pop();
    }
    update_pauses(c);
    if (opened) {
        c.open = true;
        s_.outbox.on_open(c);
    }
}

bool Sender::opens_after(TurnNo before) const {
    const TurnNo now = s_.turn.durable();
    return std::any_of(gated_.begin(), gated_.end(), [&](ConnRef ref) {
        Connection* c = s_.connections.find(ref);
        return c != nullptr && c->gate_opens_at <= s_.time.now &&
               c->gate.first_open(now) != nullptr && c->gate.first_open(before) == nullptr;
    });
}

void Sender::open_gates() {
    std::vector<ConnRef> waiting = std::exchange(gated_, {});
    for (const ConnRef ref : waiting) {
        Connection* c = s_.connections.find(ref);
        if (c == nullptr) {
            continue;
        }
        c->in_gated_list = false;
        open_gate(*c);
        if (!c->gate.empty() && !c->in_gated_list) {
            c->in_gated_list = true;
            gated_.push_back(ref);
        }
    }
}

void Sender::update_pauses(Connection& c) {
    const Limits& limits = s_.limits;
    const bool was = c.held();
    const std::size_t output_max = limits.out_soft_bytes + limits.out_ack_reserve_bytes;
    // R2: this connection alone waits, for its own peer; bounded by the stuck-reader deadline.
    // Deliveries may fill the buffer above the reserve by themselves, so only a buffer that stays
    // full over a flush counts, and only when its own answers have used the reserve up.
    c.paused_for_output = c.out.size() > output_max && c.blocked_since != TimePoint{} &&
                          c.answer_bytes_out > limits.out_ack_reserve_bytes;
    // R1: the disk ends this wait. Own gated packets, or records of everybody that a failing disk
    // does not take.
    c.paused_for_disk = c.gate.size() >= limits.gate_packets_max ||
                        (!c.gate.empty() && s_.log_full && c.state == Connection::State::connected);
    apply_pause(c, was);
}

void Sender::apply_pause(Connection& c, bool was) {
    const bool is = c.held();
    if (is && !was) {
        c.paused_since = s_.time.now;
    } else if (was && !is) {
        // R6: Keep Alive stood still, and so did the deadline of a packet that has begun.
        c.last_packet_at += s_.time.now - c.paused_since;
        c.partial_since += s_.time.now - c.paused_since;
        s_.protocol.watch_connected(c);
        if (!c.unread.empty()) {
            s_.protocol.go_on(c);
        }
        reading_again(c);
    }
}

void Sender::set_pause(Connection& c, bool Connection::*pause, bool on) {
    const bool was = c.held();
    c.*pause = on;
    apply_pause(c, was);
}

void Sender::reading_again(Connection& c) {
    if (!c.reading_paused()) {
        s_.host.resume(*c.transport);
    }
}

void Sender::pause_for_log(Connection& c) {
    if (!c.paused_for_log) {
        log_paused_.push_back(c.ref);
        set_pause(c, &Connection::paused_for_log, true);
    }
}

void Sender::resume_after_log() {
    if (s_.log_full || log_paused_.empty()) {
        return;
    }
    for (const ConnRef ref : std::exchange(log_paused_, {})) {
        if (Connection* c = s_.connections.find(ref)) {
            set_pause(*c, &Connection::paused_for_log, false);
        }
    }
}

void Sender::pause_for_mailbox(Connection& c) {
    if (!c.paused_for_mailbox) {
        mailbox_paused_.push_back(c.ref);
        set_pause(c, &Connection::paused_for_mailbox, true);
    }
}

void Sender::resume_after_mailbox() {
    if (mailbox_paused_.empty()) {
        return;
    }
    for (const auto& mailbox : s_.shared.mailboxes) {
        if (mailbox->waiting_bytes() > s_.limits.mailbox_bytes_max / 2) {
            return;
        }
    }
    for (const ConnRef ref : std::exchange(mailbox_paused_, {})) {
        if (Connection* c = s_.connections.find(ref)) {
            set_pause(*c, &Connection::paused_for_mailbox, false);
        }
    }
}

std::optional<TimePoint> Sender::next_look() const {
    const bool nobody = mailbox_paused_.empty() && log_paused_.empty();
    return nobody ? std::nullopt : std::optional{s_.time.now + kLook};
}

void Sender::write(Connection& c) {
    const std::size_t before = c.out.size();
    if (!c.transport->write(c.out)) {
        s_.session_end.close(c, CloseReason::peer_closed);
        return;
    }
    const std::size_t written = before - c.out.size();
    s_.stats.bytes_out.add(written);
    if (c.state == Connection::State::closing) {
        if (!c.owes_bytes()) {
            s_.session_end.destroy(c);
        } else if (written > 0) {
            c.blocked_since = s_.time.now;
        }
        return;
    }
    if (c.out.empty()) {
        c.blocked_since = {};
        c.answer_bytes_out = 0;
    } else if (written > 0 || c.blocked_since == TimePoint{}) {
        c.blocked_since = s_.time.now;
        s_.protocol.watch(c, s_.time.now + c.listener.limits.stuck_reader_timeout);
    }
    update_pauses(c);
    if (written > 0 && has_room(c)) {
        open_gate(c);
        s_.outbox.on_room(c);
    }
}

void Sender::flush() {
    // Room made by a write lets more out of queues and gates; those connections are dirty again and
    // go on in this flush, at most twice, so that one fast reader does not hold the thread.
    for (int round = 0; round < 2 && !dirty_.empty(); ++round) {
        std::vector<ConnRef> now = std::exchange(dirty_, {});
        for (const ConnRef ref : now) {
            if (Connection* c = s_.connections.find(ref)) {
                c->dirty = false;
                if (!c->out.empty() || c->state == Connection::State::closing) {
                    write(*c);
                }
            }
        }
    }
}

}  // namespace iotsky::broker
