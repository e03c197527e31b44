#include "broker/mqtt/decode.hpp"

#include <array>
#include <type_traits>

#include "broker/mqtt/decode_connect.hpp"
#include "broker/mqtt/reader.hpp"
#include "broker/mqtt/topic.hpp"

namespace iotsky::mqtt {
namespace {

template <typename T>
Decoded<PacketView> as_packet(const Decoded<T>& decoded) noexcept {
    if (!decoded) {
        return decoded.error();
    }
    return PacketView(*decoded);
}

Decoded<PacketView> connect(const Frame& frame) noexcept {
    const auto connect = decode_connect(frame.body);
    const bool level_31 = connect && connect->protocol_level == kLevel31;
    if (frame.flags() != 0 && !level_31) {
        return DecodeError::reserved_flags;  // [MQTT-2.2.2-1], [MQTT-2.2.2-2]
    }
    return as_packet(connect);
}

Decoded<PacketView> connack(const Frame& frame) noexcept {
    Reader in(frame.body);
    const unsigned flags = in.u8();
    const std::uint8_t code = in.u8();
    if ((flags & 0xFEU) != 0) {
        in.fail(DecodeError::connack_reserved_flag);
    }
    if (code > 5) {
        in.fail(DecodeError::connack_code);
    }
    if (flags == 1 && code != 0) {
        in.fail(DecodeError::connack_session_present);  // [MQTT-3.2.2-4]
    }
    return as_packet(in.finish(ConnackView{flags == 1, static_cast<ConnectCode>(code)}));
}

Decoded<PacketView> publish(const Frame& frame) noexcept {
    return as_packet(decode_publish(frame));
}

template <typename Ack>
Decoded<PacketView> ack(const Frame& frame) noexcept {
    Reader in(frame.body);
    return as_packet(in.finish(Ack{in.packet_id()}));
}

template <typename Packet>
Decoded<PacketView> empty(const Frame& frame) noexcept {
    return as_packet(Reader(frame.body).finish(Packet{}));
}

void check_filter(Reader& in, std::string_view filter) noexcept {
    if (const auto fault = topic_filter_fault(filter)) {
        in.fail(*fault);
    }
}

void check_requested_qos(Reader& in, unsigned options) noexcept {
    if ((options & 0xFCU) != 0) {
        in.fail(DecodeError::subscribe_reserved);  // [MQTT-3.8.3-4]
    }
    if (options == 3) {
        in.fail(DecodeError::subscribe_qos_3);  // [MQTT-3.8.3-4]
    }
}

Decoded<PacketView> subscribe(const Frame& frame) noexcept {
    Reader in(frame.body);
    const std::uint16_t packet_id = in.packet_id();
    if (in.at_end()) {
        in.fail(DecodeError::subscribe_empty);  // [MQTT-3.8.3-3]
    }
    std::size_t count = 0;
    for (; !in.at_end(); ++count) {
        check_filter(in, in.text());  // [MQTT-3.8.3-1]
        check_requested_qos(in, in.u8());
    }
    if (in.fault()) {
        return *in.fault();
    }
    return PacketView(SubscribeView{packet_id, SubscribeRequests(frame.body.subspan(2), count)});
}

Decoded<PacketView> suback(const Frame& frame) noexcept {
    Reader in(frame.body);
    SubackView view{in.packet_id(), in.rest()};
    if (view.codes.empty()) {
        in.fail(DecodeError::suback_empty);
    }
    for (const std::byte code : view.codes) {
        if (code > std::byte{2} && code != kSubackFailure) {
            in.fail(DecodeError::suback_code);  // [MQTT-3.9.3-2]
        }
    }
    return as_packet(in.finish(view));
}

Decoded<PacketView> unsubscribe(const Frame& frame) noexcept {
    Reader in(frame.body);
    const std::uint16_t packet_id = in.packet_id();
    if (in.at_end()) {
        in.fail(DecodeError::unsubscribe_empty);  // [MQTT-3.10.3-2]
    }
    std::size_t count = 0;
    for (; !in.at_end(); ++count) {
        check_filter(in, in.text());  // [MQTT-3.10.3-1]
    }
    if (in.fault()) {
        return *in.fault();
    }
    return PacketView(UnsubscribeView{packet_id, UnsubscribeFilters(frame.body.subspan(2), count)});
}

/// What the fixed header of a packet type must be (tables 2.1 and 2.2) and who reads the rest.
struct Kind {
    bool from_client;
    bool from_server;
    bool fixed_flags;  ///< PUBLISH alone uses its flags; connect() looks at them itself.
    std::uint8_t flags;
    DecodeError flags_fault;
    Decoded<PacketView> (*decode)(const Frame&) noexcept;
};

using enum DecodeError;
constexpr std::array<Kind, 16> kKinds{{
    {false, false, false, 0, reserved_packet_type, nullptr},
    {true, false, false, 0, reserved_flags, connect},
    {false, true, true, 0, reserved_flags, connack},
    {true, true, false, 0, reserved_flags, publish},
    {true, true, true, 0, reserved_flags, ack<PubackView>},
    {true, true, true, 0, reserved_flags, ack<PubrecView>},
    {true, true, true, 2, pubrel_flags, ack<PubrelView>},  // [MQTT-3.6.1-1]
    {true, true, true, 0, reserved_flags, ack<PubcompView>},
    {true, false, true, 2, subscribe_flags, subscribe},  // [MQTT-3.8.1-1]
    {false, true, true, 0, reserved_flags, suback},
    {true, false, true, 2, unsubscribe_flags, unsubscribe},  // [MQTT-3.10.1-1]
    {false, true, true, 0, reserved_flags, ack<UnsubackView>},
    {true, false, true, 0, reserved_flags, empty<PingreqView>},
    {false, true, true, 0, reserved_flags, empty<PingrespView>},
    {true, false, true, 0, disconnect_flags, empty<DisconnectView>},  // [MQTT-3.14.1-1]
    {false, false, false, 0, reserved_packet_type, nullptr},
}};

}  // namespace

Decoded<PacketView> decode(const Frame& frame, Direction direction, std::uint8_t level) noexcept {
    const Kind& kind = kKinds[frame.first_byte >> 4U];
    if (kind.decode == nullptr) {
        return reserved_packet_type;
    }
    if (!(direction == Direction::from_client ? kind.from_client : kind.from_server)) {
        return wrong_direction;
    }
    if (kind.fixed_flags && frame.flags() != kind.flags && level != kLevel31) {
        return kind.flags_fault;  // [MQTT-2.2.2-1], [MQTT-2.2.2-2]
    }
    return kind.decode(frame);
}

Decoded<PublishView> decode_publish(const Frame& frame) noexcept {
    const unsigned qos = (frame.first_byte >> 1U) & 3U;
    PublishView publish;
    publish.dup = (frame.first_byte & 0x08U) != 0;
    publish.retain = (frame.first_byte & 0x01U) != 0;
    publish.qos = static_cast<Qos>(qos);
    if (qos == 3) {
        return publish_qos_3;  // [MQTT-3.3.1-4]
    }
    if (publish.dup && qos == 0) {
        return publish_dup_at_qos_0;  // [MQTT-3.3.1-2]
    }
    Reader in(frame.body);
    publish.topic = in.text();  // [MQTT-3.3.2-1]
    if (publish.topic.empty()) {
        in.fail(topic_empty);  // [MQTT-4.7.3-1]
    }
    if (has_wildcard(publish.topic)) {
        in.fail(publish_topic_wildcard);  // [MQTT-3.3.2-2]
    }
    if (qos != 0) {
        publish.packet_id = in.packet_id();  // [MQTT-2.3.1-1], [MQTT-2.3.1-5]
    }
    publish.payload = in.rest();
    return in.finish(publish);
}

}  // namespace iotsky::mqtt
