#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "broker/mqtt/packet.hpp"

/// Packets that a client sends, appended to a buffer: for `iotsky pub`, `iotsky sub` and tests.
/// A value that MQTT cannot carry is refused (E3540) and nothing is appended. Texts are not checked
/// otherwise: that is the receiver's part, and tests send bad ones.
/// Thread: any (pure).
namespace iotsky::mqtt {

/// `protocol_level` 3 writes "MQIsdp", any other "MQTT" with that level.
[[nodiscard]] Result<void> append_connect(std::vector<std::byte>& out, const ConnectView& connect);
[[nodiscard]] Result<void> append_publish(std::vector<std::byte>& out, const PublishView& publish);
[[nodiscard]] Result<void> append_subscribe(std::vector<std::byte>& out, std::uint16_t packet_id,
                                            std::span<const SubscribeRequest> requests);
[[nodiscard]] Result<void> append_unsubscribe(std::vector<std::byte>& out, std::uint16_t packet_id,
                                              std::span<const std::string_view> filters);
/// PUBACK, PUBREC, PUBREL or PUBCOMP.
void append_ack(std::vector<std::byte>& out, PacketType type, std::uint16_t packet_id);
void append_pingreq(std::vector<std::byte>& out);
void append_disconnect(std::vector<std::byte>& out);

}  // namespace iotsky::mqtt
