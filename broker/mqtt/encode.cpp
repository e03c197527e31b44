#include "broker/mqtt/encode.hpp"

#include <algorithm>

namespace iotsky::mqtt {
namespace {

constexpr std::byte first_byte(PacketType type, unsigned flags) noexcept {
    return static_cast<std::byte>((static_cast<unsigned>(type) << 4U) | flags);
}

std::uint32_t publish_body_bytes(std::size_t topic_bytes, std::size_t payload_bytes,
                                 Qos qos) noexcept {
    const std::size_t id_bytes = qos == Qos::at_most_once ? 0 : 2;
    return static_cast<std::uint32_t>(2 + topic_bytes + id_bytes + payload_bytes);
}

}  // namespace

std::array<std::byte, 4> encode_ack(PacketType type, std::uint16_t packet_id) noexcept {
    const unsigned flags = type == PacketType::pubrel ? 2U : 0U;  // [MQTT-3.6.1-1]
    std::array<std::byte, 4> out{first_byte(type, flags), std::byte{2}};
    store_u16(std::span(out).subspan(2), packet_id);
    return out;
}

std::array<std::byte, 4> encode_connack(bool session_present, ConnectCode code) noexcept {
    const bool flag = session_present && code == ConnectCode::accepted;  // [MQTT-3.2.2-4]
    return {first_byte(PacketType::connack, 0), std::byte{2}, std::byte{flag},
            static_cast<std::byte>(code)};
}

std::array<std::byte, 2> encode_pingresp() noexcept {
    return {first_byte(PacketType::pingresp, 0), std::byte{0}};
}

std::size_t suback_size(std::size_t codes) noexcept {
    return 1 + remaining_length_size(static_cast<std::uint32_t>(2 + codes)) + 2 + codes;
}

std::size_t encode_suback(std::span<std::byte> out, std::uint16_t packet_id, Bytes codes) noexcept {
    out[0] = first_byte(PacketType::suback, 0);
    std::size_t at =
        1 + encode_remaining_length(out.subspan(1), static_cast<std::uint32_t>(2 + codes.size()));
    store_u16(out.subspan(at), packet_id);
    at += 2;
    std::copy(codes.begin(), codes.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
    return at + codes.size();
}

std::size_t remaining_length_size(std::uint32_t value) noexcept {
    return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

std::size_t encode_remaining_length(std::span<std::byte> out, std::uint32_t value) noexcept {
    std::size_t at = 0;
    for (; value > 0x7FU; value >>= 7U) {
        out[at++] = static_cast<std::byte>((value & 0x7FU) | 0x80U);
    }
    out[at++] = static_cast<std::byte>(value);
    return at;
}

std::byte publish_first_byte(PublishFlags flags) noexcept {
    return first_byte(PacketType::publish, (flags.dup ? 8U : 0U) |
                                               (static_cast<unsigned>(flags.qos) << 1U) |
                                               (flags.retain ? 1U : 0U));
}

std::size_t publish_size(std::size_t topic_bytes, std::size_t payload_bytes, Qos qos) noexcept {
    if (topic_bytes > kFieldBytesMax || payload_bytes > kRemainingLengthMax) {
        return 0;
    }
    const std::uint32_t body_bytes = publish_body_bytes(topic_bytes, payload_bytes, qos);
    return body_bytes > kRemainingLengthMax ? 0
                                            : 1 + remaining_length_size(body_bytes) + body_bytes;
}

PublishHead encode_publish_head(std::span<std::byte> out, PublishFlags flags,
                                std::string_view topic, std::uint16_t packet_id,
                                std::size_t payload_bytes) noexcept {
    PublishHead head;
    out[0] = publish_first_byte(flags);
    std::size_t at =
        1 + encode_remaining_length(out.subspan(1),
                                    publish_body_bytes(topic.size(), payload_bytes, flags.qos));
    store_u16(out.subspan(at), static_cast<std::uint16_t>(topic.size()));
    at += 2;
    const Bytes name = as_bytes(topic);
    std::copy(name.begin(), name.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
    at += topic.size();
    if (flags.qos != Qos::at_most_once) {
        head.packet_id_offset = at;
        store_u16(out.subspan(at), packet_id);
        at += 2;
    }
    head.head_bytes = at;
    return head;
}

}  // namespace iotsky::mqtt
