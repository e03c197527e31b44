#include "tests/simulation/client.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/bytes.hpp"
#include "broker/mqtt/decode.hpp"
#include "broker/mqtt/encode_client.hpp"

namespace iotsky::simulation {
namespace {

constexpr std::uint16_t kSubscribeId = 60'000;

}  // namespace

void Client::send_raw(std::span<const std::byte> bytes) {
    wire_->to_broker.insert(wire_->to_broker.end(), bytes.begin(), bytes.end());
}

std::shared_ptr<Wire> Client::connect() {
    wire_ = std::make_shared<Wire>();
    framer_ = mqtt::Framer(1U << 20U);
    open_ = false;
    may_publish_ = false;
    ++connects;
    if (options_.clean_session) {
        in_flight_.clear();
        received_.clear();
    }
    mqtt::ConnectView connect;
    connect.clean_session = options_.clean_session;
    connect.client_id = options_.id;
    connect.keep_alive_s = options_.keep_alive_s;
    if (!options_.user.empty()) {
        connect.user_name = options_.user;
    }
    if (options_.will_topic) {
        connect.will = mqtt::WillView{*options_.will_topic, as_bytes(options_.id),
                                      mqtt::Qos::at_least_once, false};
    }
    std::vector<std::byte> out;
    mqtt::append_connect(out, connect).value();
    send_raw(out);
    return wire_;
}

void Client::lose_connection() {
    if (wire_) {
        wire_->client_closed = true;
        wire_.reset();
    }
}

void Client::disconnect_cleanly() {
    std::vector<std::byte> out;
    mqtt::append_disconnect(out);
    send_raw(out);
    wire_->client_closed = true;
    wire_.reset();
}

void Client::subscribe() {
    if (options_.subscriptions.empty()) {
        may_publish_ = true;
        return;
    }
    std::vector<mqtt::SubscribeRequest> requests;
    for (const auto& [filter, qos] : options_.subscriptions) {
        requests.push_back({filter, mqtt::Qos{qos}});
    }
    std::vector<std::byte> out;
    mqtt::append_subscribe(out, kSubscribeId, requests).value();
    send_raw(out);
}

std::uint16_t Client::free_id() const {
    for (std::uint16_t id = 1; id <= options_.packet_ids; ++id) {
        if (!in_flight_.contains(id)) {
            return id;
        }
    }
    return 0;
}

void Client::send_publish(std::uint16_t id, const InFlight& message, bool dup) {
    mqtt::PublishView p;
    p.dup = dup;
    p.qos = mqtt::Qos{message.qos};
    p.retain = message.retain;
    p.topic = message.topic;
    p.packet_id = id;
    p.payload = as_bytes(message.payload);
    std::vector<std::byte> out;
    mqtt::append_publish(out, p).value();
    send_raw(out);
}

void Client::publish(std::string topic, std::string payload, std::uint8_t qos, bool retain) {
    InFlight message{next_message_++, std::move(topic), std::move(payload), qos, retain,
                     false,           next_order_++};
    if (qos == 0) {
        send_publish(0, message, false);
        return;
    }
    const std::uint16_t id = free_id();
    send_publish(id, message, false);
    in_flight_.emplace(id, std::move(message));
}

void Client::publish_next() {
    if (!may_publish_ || next_message_ >= options_.messages ||
        in_flight_.size() >= options_.window || free_id() == 0) {
        return;
    }
    std::string payload = options_.id + ":" + std::to_string(next_message_);
    payload.resize(std::max(payload.size(), options_.payload_bytes), '.');
    publish(options_.publish_topic, std::move(payload), options_.publish_qos,
            options_.publish_retain);
}

void Client::on_connack(const mqtt::ConnackView& p) {
    connack = static_cast<std::uint8_t>(p.code);
    session_present = p.session_present;
    open_ = p.code == mqtt::ConnectCode::accepted;
    if (!open_) {
        return;
    }
    // Unacknowledged messages again, in their order [MQTT-4.4.0-1].
    std::vector<std::pair<std::uint16_t, InFlight*>> again;
    for (auto& [id, message] : in_flight_) {
        again.emplace_back(id, &message);
    }
    std::sort(again.begin(), again.end(),
              [](auto& a, auto& b) { return a.second->order < b.second->order; });
    for (const auto& [id, message] : again) {
        if (message->released) {
            std::vector<std::byte> out;
            mqtt::append_ack(out, mqtt::PacketType::pubrel, id);
            send_raw(out);
        } else {
            send_publish(id, *message, true);
        }
    }
    if (!subscribed || !p.session_present) {
        subscribe();
    } else {
        may_publish_ = true;
    }
}

void Client::on_publish(const mqtt::PublishView& p) {
    const auto qos = static_cast<std::uint8_t>(p.qos);
    std::vector<std::byte> out;
    bool first = true;
    if (p.qos == mqtt::Qos::exactly_once) {
        first = received_.insert(p.packet_id).second;
        mqtt::append_ack(out, mqtt::PacketType::pubrec, p.packet_id);
    } else if (p.qos == mqtt::Qos::at_least_once) {
        mqtt::append_ack(out, mqtt::PacketType::puback, p.packet_id);
    }
    if (first) {
        deliveries.push_back(
            {std::string{p.topic}, std::string{as_text(p.payload)}, qos, p.retain, p.dup});
    }
    send_raw(out);
}

void Client::on_packet(const mqtt::PacketView& packet) {
    std::vector<std::byte> out;
    if (const auto* connack_packet = std::get_if<mqtt::ConnackView>(&packet)) {
        on_connack(*connack_packet);
    } else if (!open_) {
        throw std::logic_error("a packet before CONNACK [MQTT-3.2.0-1]");
    } else if (const auto* publish_packet = std::get_if<mqtt::PublishView>(&packet)) {
        on_publish(*publish_packet);
    } else if (const auto* suback = std::get_if<mqtt::SubackView>(&packet)) {
        suback_codes.clear();
        for (const std::byte code : suback->codes) {
            suback_codes.push_back(static_cast<std::uint8_t>(code));
        }
        subscribed = true;
        may_publish_ = true;
    } else if (const auto* puback = std::get_if<mqtt::PubackView>(&packet)) {
        if (const auto found = in_flight_.find(puback->packet_id); found != in_flight_.end()) {
            acknowledged.insert(found->second.message);
            in_flight_.erase(found);
        }
    } else if (const auto* pubrec = std::get_if<mqtt::PubrecView>(&packet)) {
        if (const auto found = in_flight_.find(pubrec->packet_id); found != in_flight_.end()) {
            found->second.released = true;
            mqtt::append_ack(out, mqtt::PacketType::pubrel, pubrec->packet_id);
        }
    } else if (const auto* pubcomp = std::get_if<mqtt::PubcompView>(&packet)) {
        if (const auto found = in_flight_.find(pubcomp->packet_id); found != in_flight_.end()) {
            acknowledged.insert(found->second.message);
            in_flight_.erase(found);
        }
    } else if (const auto* pubrel = std::get_if<mqtt::PubrelView>(&packet)) {
        received_.erase(pubrel->packet_id);
        mqtt::append_ack(out, mqtt::PacketType::pubcomp, pubrel->packet_id);
    }
    send_raw(out);
}

bool Client::step() {
    if (!wire_) {
        return false;
    }
    const std::size_t before = wire_->to_broker.size();
    std::vector<std::byte> in(wire_->to_client.begin(), wire_->to_client.end());
    wire_->to_client.clear();
    mqtt::Bytes bytes = in;
    while (wire_) {
        const auto result = framer_.next(bytes);
        if (result.kind == mqtt::FrameResult::Kind::need_more) {
            break;
        }
        if (result.kind == mqtt::FrameResult::Kind::error) {
            throw std::logic_error("the broker sent bytes that are no packet");
        }
        const auto packet = mqtt::decode(result.frame, mqtt::Direction::from_server);
        if (!packet) {
            throw std::logic_error(std::string{"the broker broke the protocol: "} +
                                   std::string{mqtt::text(packet.error())});
        }
        on_packet(*packet);
    }
    if (wire_ && open_) {
        publish_next();
    }
    if (wire_ && wire_->broker_closed && wire_->to_client.empty()) {
        lose_connection();
        return true;
    }
    return !in.empty() || (wire_ && wire_->to_broker.size() != before);
}

bool Client::finished() const {
    return next_message_ >= options_.messages && in_flight_.empty();
}

}  // namespace iotsky::simulation
