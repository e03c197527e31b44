#include "tests/simulation/model/puppet.hpp"

#include <stdexcept>
#include <utility>

#include "base/bytes.hpp"
#include "broker/mqtt/decode.hpp"
#include "broker/mqtt/encode_client.hpp"
#include "broker/mqtt/framer.hpp"
#include "tests/support/mqtt_text.hpp"

namespace iotsky::simulation {
namespace {

constexpr std::size_t kPayloadShown = 24;

Packet plain(const mqtt::PacketView& view) {
    Packet packet;
    std::visit(test::Overloaded{
                   [&](const mqtt::ConnackView& p) {
                       packet.type = mqtt::PacketType::connack;
                       packet.present = p.session_present;
                       packet.code = static_cast<std::uint8_t>(p.code);
                   },
                   [&](const mqtt::PublishView& p) {
                       packet = {mqtt::PacketType::publish,
                                 p.packet_id,
                                 std::string{p.topic},
                                 std::string{as_text(p.payload)},
                                 static_cast<std::uint8_t>(p.qos),
                                 p.retain,
                                 p.dup};
                   },
                   [&](const mqtt::SubackView& p) {
                       packet.type = mqtt::PacketType::suback;
                       packet.id = p.packet_id;
                       packet.code = std::to_integer<std::uint8_t>(p.codes[0]);
                   },
                   [&]<mqtt::PacketType type>(const mqtt::AckView<type>& p) {
                       packet.type = type;
                       packet.id = p.packet_id;
                   },
                   [&](const auto&) { throw std::runtime_error("an unexpected packet"); },
               },
               view);
    return packet;
}

}  // namespace

std::string Packet::text() const {
    std::string out{mqtt::to_string(type)};
    if (type == mqtt::PacketType::publish) {
        out += " " + topic + "=" + payload.substr(0, kPayloadShown) +
               " qos=" + std::to_string(qos) + (retain ? " retain" : "") + (dup ? " dup" : "");
    }
    if (type == mqtt::PacketType::connack || type == mqtt::PacketType::suback) {
        out += " code=" + std::to_string(code) + (present ? " present" : "");
    }
    return id == 0 ? out : out + " id=" + std::to_string(id);
}

void Puppet::connect(bool clean_session, const std::optional<mqtt::WillView>& will) {
    wire_ = world_.open_raw();
    mqtt::ConnectView connect;
    connect.clean_session = clean_session;
    connect.client_id = name_;
    connect.user_name = name_;
    connect.will = will;
    std::vector<std::byte> out;
    mqtt::append_connect(out, connect).value();
    send(out);
}

void Puppet::send(const std::vector<std::byte>& bytes) {
    wire_->to_broker.insert(wire_->to_broker.end(), bytes.begin(), bytes.end());
}

void Puppet::drop() {
    wire_->client_closed = true;
    wire_.reset();
}

std::vector<Packet> Puppet::take() {
    std::vector<Packet> packets;
    if (wire_ == nullptr) {
        return packets;
    }
    const auto queue = std::exchange(wire_->to_client, {});
    const std::vector<std::byte> bytes(queue.begin(), queue.end());
    mqtt::Framer framer(mqtt::kRemainingLengthMax);
    mqtt::Bytes in{bytes};
    while (!in.empty()) {
        const mqtt::FrameResult found = framer.next(in);
        if (found.kind != mqtt::FrameResult::Kind::frame) {
            throw std::runtime_error("half a packet came");
        }
        packets.push_back(plain(mqtt::decode(found.frame, mqtt::Direction::from_server).value()));
    }
    return packets;
}

}  // namespace iotsky::simulation
