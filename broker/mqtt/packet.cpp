#include "broker/mqtt/packet.hpp"

#include <array>

namespace iotsky::mqtt {

std::string_view to_string(PacketType type) noexcept {
    static constexpr std::array<std::string_view, 16> kNames{
        "reserved", "CONNECT",  "CONNACK",    "PUBLISH", "PUBACK",      "PUBREC",
        "PUBREL",   "PUBCOMP",  "SUBSCRIBE",  "SUBACK",  "UNSUBSCRIBE", "UNSUBACK",
        "PINGREQ",  "PINGRESP", "DISCONNECT", "reserved"};
    return kNames[static_cast<std::size_t>(type) & 0x0FU];
}

}  // namespace iotsky::mqtt
