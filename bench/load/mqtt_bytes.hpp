#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iotsky::load {

using Bytes = std::vector<std::uint8_t>;

enum class Kind : std::uint8_t {
    connack = 2,
    publish = 3,
    puback = 4,
    pubrec = 5,
    pubrel = 6,
    pubcomp = 7,
    suback = 9,
};

/// A packet inside a buffer; dies with the buffer's next change.
struct Packet {
    Kind kind{};
    std::uint8_t flags = 0;
    std::span<const std::uint8_t> body;
    std::size_t size = 0;  ///< of the whole packet
};

/// What a generator needs of MQTT 3.1.1; on purpose not the broker's codec, whose faults it would
/// share.
void put_connect(Bytes& out, std::string_view client_id, bool persistent);
void put_subscribe(Bytes& out, std::uint16_t packet_id, std::string_view filter, int qos);
void put_publish(Bytes& out, std::string_view topic, int qos, std::uint16_t packet_id,
                 std::span<const std::uint8_t> payload);
/// PUBACK, PUBREC, PUBREL or PUBCOMP.
void put_ack(Bytes& out, Kind kind, std::uint16_t packet_id);

/// The packet at the front of `in`, or nothing when it is not whole yet.
[[nodiscard]] std::optional<Packet> front_packet(std::span<const std::uint8_t> in);

/// Two bytes, big-endian, at `at`; throws std::runtime_error when they are not there.
[[nodiscard]] std::uint16_t number_at(std::span<const std::uint8_t> in, std::size_t at);

}  // namespace iotsky::load
