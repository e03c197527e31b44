#pragma once

#include <cstdint>

#include "broker/mqtt/decode_error.hpp"
#include "broker/mqtt/framer.hpp"
#include "broker/mqtt/packet.hpp"

namespace iotsky::mqtt {

/// Who sent the packet: the other side's packet types are a fault.
enum class Direction : std::uint8_t { from_client, from_server };

/// Decodes one Control Packet, strictly: flags, lengths, texts, topics, identifiers.
///
/// @return  Views into the frame, or the first fault in the order of the standard's fields. For
///          CONNECT that order is name, level, reserved bit, will bits, user name and password
///          bits, then the payload and its exact fit: another protocol's CONNECT (MQTT 5 included)
///          gives `protocol_level` whatever follows its level byte [MQTT-3.1.2-2].
/// @param level  Of the CONNECT before; CONNECT itself says its own. To MQTT 3.1 the flags of every
///          type but PUBLISH are "not used", or say that it is sent again: whatever they are, they
///          are passed over.
/// Thread: any (pure). Cost: O(body), allocates nothing.
[[nodiscard]] Decoded<PacketView> decode(const Frame& frame, Direction direction,
                                         std::uint8_t level = kLevel311) noexcept;

/// The same for a frame whose type is PUBLISH, without the variant: the hot path.
[[nodiscard]] Decoded<PublishView> decode_publish(const Frame& frame) noexcept;

}  // namespace iotsky::mqtt
