#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "broker/mqtt/packet.hpp"

/// Packets that the broker sends. Small ones are arrays, PUBLISH is written in place.
/// Thread: any (pure). Nothing here allocates.
namespace iotsky::mqtt {

/// PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK; the flags of PUBREL are 0010 [MQTT-3.6.1-1].
/// `packet_id` is not 0.
[[nodiscard]] std::array<std::byte, 4> encode_ack(PacketType type,
                                                  std::uint16_t packet_id) noexcept;

/// Session Present is 0 beside a refusal, whatever is asked for [MQTT-3.2.2-4].
[[nodiscard]] std::array<std::byte, 4> encode_connack(bool session_present,
                                                      ConnectCode code) noexcept;

[[nodiscard]] inline std::array<std::byte, 4> encode_unsuback(std::uint16_t packet_id) noexcept {
    return encode_ack(PacketType::unsuback, packet_id);
}

[[nodiscard]] std::array<std::byte, 2> encode_pingresp() noexcept;

/// Bytes of a SUBACK with `codes` return codes.
[[nodiscard]] std::size_t suback_size(std::size_t codes) noexcept;
/// Writes one code for each filter of the SUBSCRIBE, in its order [MQTT-3.8.4-5].
/// @param out  suback_size(codes.size()) bytes or more.
/// @return     Bytes written.
std::size_t encode_suback(std::span<std::byte> out, std::uint16_t packet_id, Bytes codes) noexcept;

/// Bytes of a Remaining Length of this value, 1 to 4 (table 2.4).
[[nodiscard]] std::size_t remaining_length_size(std::uint32_t value) noexcept;
/// Writes it; returns the bytes written.
std::size_t encode_remaining_length(std::span<std::byte> out, std::uint32_t value) noexcept;

struct PublishFlags {
    bool dup = false;  ///< Must be false at QoS 0 [MQTT-3.3.1-2].
    Qos qos = Qos::at_most_once;
    bool retain = false;
};

/// The first byte of a PUBLISH with these flags.
[[nodiscard]] std::byte publish_first_byte(PublishFlags flags) noexcept;

/// Where things lie in an encoded PUBLISH; the payload follows at `head_bytes`.
struct PublishHead {
    std::size_t head_bytes = 0;
    std::size_t packet_id_offset = 0;  ///< From the first byte of the packet; 0 at QoS 0.
};

/// Bytes of a whole PUBLISH; 0 if MQTT cannot carry it (topic above 65,535 bytes or Remaining
/// Length above 268,435,455), which a rewritten topic in front of a large payload may reach.
[[nodiscard]] std::size_t publish_size(std::size_t topic_bytes, std::size_t payload_bytes,
                                       Qos qos) noexcept;

/// Writes all of a PUBLISH but its payload. Encode once, copy, patch_packet_id() in each copy.
///
/// @param out            At least publish_size() - payload_bytes bytes; publish_size() is not 0.
/// @param packet_id      Ignored at QoS 0, which has none [MQTT-2.3.1-5].
/// @param payload_bytes  Bytes that the caller puts behind the head.
PublishHead encode_publish_head(std::span<std::byte> out, PublishFlags flags,
                                std::string_view topic, std::uint16_t packet_id,
                                std::size_t payload_bytes) noexcept;

/// Puts another identifier into an encoded PUBLISH of QoS 1 or 2.
inline void patch_packet_id(std::span<std::byte> packet, const PublishHead& head,
                            std::uint16_t packet_id) noexcept {
    store_u16(packet.subspan(head.packet_id_offset, 2), packet_id);
}

/// Marks an encoded PUBLISH of QoS 1 or 2 as delivered again [MQTT-3.3.1-1].
inline void set_dup(std::span<std::byte> packet) noexcept {
    packet[0] |= std::byte{0x08};
}

}  // namespace iotsky::mqtt
