#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "broker/mqtt/bytes.hpp"
#include "broker/mqtt/request_list.hpp"

/// The MQTT 3.1.1 Control Packets as values. All text and payloads are views into the buffer that
/// was decoded; they live as long as it does. Everything is immutable; thread: any.
namespace iotsky::mqtt {

/// Bits 7-4 of the first byte (section 2.2.1); 0 and 15 are reserved and never get here.
enum class PacketType : std::uint8_t {
    connect = 1,
    connack,
    publish,
    puback,
    pubrec,
    pubrel,
    pubcomp,
    subscribe,
    suback,
    unsubscribe,
    unsuback,
    pingreq,
    pingresp,
    disconnect,
};

/// The packet's name as the standard prints it, e.g. "SUBSCRIBE".
[[nodiscard]] std::string_view to_string(PacketType type) noexcept;

/// Protocol Levels that are served: 3.1.1 as "MQTT", 3.1 as "MQIsdp".
inline constexpr std::uint8_t kLevel311 = 4;
inline constexpr std::uint8_t kLevel31 = 3;

/// Return codes of CONNACK (table 3.1).
enum class ConnectCode : std::uint8_t {
    accepted = 0,
    unacceptable_protocol_version = 1,
    identifier_rejected = 2,
    server_unavailable = 3,
    bad_user_name_or_password = 4,
    not_authorized = 5,
};

/// Return code of SUBACK for a filter that was refused (section 3.9.3).
inline constexpr std::byte kSubackFailure{0x80};

/// The Will of a CONNECT (section 3.1.2.5). The topic is a valid Topic Name.
struct WillView {
    std::string_view topic;
    Bytes payload;
    Qos qos = Qos::at_most_once;
    bool retain = false;
};

/// A CONNECT that is well formed. Whether it is welcome is the broker's business, the empty Client
/// Identifier with Clean Session 0 included (CONNACK 0x02 [MQTT-3.1.3-8]).
struct ConnectView {
    std::uint8_t protocol_level = kLevel311;
    bool clean_session = true;
    std::uint16_t keep_alive_s = 0;  ///< 0: no Keep Alive.
    std::string_view client_id;      ///< Up to 65,535 bytes, may be empty.
    std::optional<WillView> will;
    std::optional<std::string_view> user_name;
    std::optional<Bytes> password;
};

struct ConnackView {
    bool session_present = false;
    ConnectCode code = ConnectCode::accepted;
};

struct PublishView {
    bool dup = false;
    Qos qos = Qos::at_most_once;
    bool retain = false;
    std::string_view topic;       ///< A valid Topic Name.
    std::uint16_t packet_id = 0;  ///< 0 at QoS 0 and never otherwise.
    Bytes payload;
};

/// A packet that says no more than the identifier it answers; never 0. One type per kind, so that a
/// visitor cannot confuse them.
template <PacketType type>
struct AckView {
    static constexpr PacketType kType = type;
    std::uint16_t packet_id = 0;
};
using PubackView = AckView<PacketType::puback>;
using PubrecView = AckView<PacketType::pubrec>;
using PubrelView = AckView<PacketType::pubrel>;
using PubcompView = AckView<PacketType::pubcomp>;
using UnsubackView = AckView<PacketType::unsuback>;

struct SubscribeView {
    std::uint16_t packet_id = 0;
    SubscribeRequests requests;  ///< At least one, all filters valid.
};

struct SubackView {
    std::uint16_t packet_id = 0;
    Bytes codes;  ///< One for each filter, in its order: granted QoS 0-2 or kSubackFailure.
};

struct UnsubscribeView {
    std::uint16_t packet_id = 0;
    UnsubscribeFilters filters;  ///< At least one, all valid.
};

struct PingreqView {};
struct PingrespView {};
struct DisconnectView {};

using PacketView = std::variant<ConnectView, ConnackView, PublishView, PubackView, PubrecView,
                                PubrelView, PubcompView, SubscribeView, SubackView, UnsubscribeView,
                                UnsubackView, PingreqView, PingrespView, DisconnectView>;

}  // namespace iotsky::mqtt
