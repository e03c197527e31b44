#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.hpp"
#include "broker/mqtt/packet.hpp"

namespace iotsky::mqtt {

/// Every fault that bytes of a peer can have. Whichever it is, the Network Connection is closed
/// [MQTT-4.8.0-1]; only `protocol_level` is answered first (see `refusal`).
enum class DecodeError : std::uint8_t {
    // The fixed header, section 2.2.
    remaining_length_too_long,  ///< A fifth length byte is announced; section 2.2.3.
    packet_too_large,           ///< Remaining Length above this listener's limit; ours.
    reserved_packet_type,       ///< Type 0 or 15; section 2.2.1.
    wrong_direction,            ///< A packet that only the other side may send; section 2.2.1.
    reserved_flags,             ///< Flags of a type that has none are not 0; [MQTT-2.2.2-2].
    pubrel_flags,               ///< Not 0010; [MQTT-3.6.1-1].
    subscribe_flags,            ///< Not 0010; [MQTT-3.8.1-1].
    unsubscribe_flags,          ///< Not 0010; [MQTT-3.10.1-1].
    disconnect_flags,           ///< Not 0000; [MQTT-3.14.1-1].
    // Fields that many packets have.
    packet_too_short,  ///< The packet ends inside a field; section 2.2.3.
    trailing_bytes,    ///< Bytes behind the last field; section 2.2.3.
    packet_id_zero,    ///< [MQTT-2.3.1-1].
    text_ill_formed,   ///< Not UTF-8, or a surrogate; [MQTT-1.5.3-1].
    text_nul,          ///< U+0000 in a text; [MQTT-1.5.3-2].
    topic_empty,       ///< A Topic Name or Topic Filter of no bytes; [MQTT-4.7.3-1].
    filter_hash,       ///< '#' not alone in the last level; [MQTT-4.7.1-2].
    filter_plus,       ///< '+' not alone in its level; [MQTT-4.7.1-3].
    // CONNECT, section 3.1.
    protocol_name,               ///< Neither "MQTT" nor "MQIsdp"; [MQTT-3.1.2-1].
    protocol_level,              ///< A version that is not served; [MQTT-3.1.2-2].
    connect_reserved_flag,       ///< Bit 0 of the Connect Flags; [MQTT-3.1.2-3].
    will_topic_wildcard,         ///< [MQTT-4.7.1-1].
    will_qos_without_will,       ///< [MQTT-3.1.2-13].
    will_qos_3,                  ///< [MQTT-3.1.2-14].
    will_retain_without_will,    ///< [MQTT-3.1.2-15].
    password_without_user_name,  ///< [MQTT-3.1.2-22].
    // PUBLISH, section 3.3.
    publish_dup_at_qos_0,    ///< [MQTT-3.3.1-2].
    publish_qos_3,           ///< [MQTT-3.3.1-4].
    publish_topic_wildcard,  ///< [MQTT-3.3.2-2].
    // SUBSCRIBE and UNSUBSCRIBE, sections 3.8 and 3.10.
    subscribe_empty,     ///< No Topic Filter; [MQTT-3.8.3-3].
    subscribe_reserved,  ///< Upper six bits of a Requested QoS byte; [MQTT-3.8.3-4].
    subscribe_qos_3,     ///< [MQTT-3.8.3-4].
    unsubscribe_empty,   ///< No Topic Filter; [MQTT-3.10.3-2].
    // What a server sends, sections 3.2 and 3.9.
    connack_reserved_flag,    ///< Bits 7-1 of the Acknowledge Flags; section 3.2.2.1.
    connack_code,             ///< Return code above 5; section 3.2.2.3.
    connack_session_present,  ///< Session Present beside a refusal; [MQTT-3.2.2-4].
    suback_empty,             ///< No return code; section 3.9.3.
    suback_code,              ///< Neither 0, 1, 2 nor 0x80; [MQTT-3.9.3-2].
};

inline constexpr std::size_t kDecodeErrors = 37;

/// What is wrong, a sentence for people.
[[nodiscard]] std::string_view text(DecodeError error) noexcept;
/// "MQTT-3.8.1-1" for a numbered statement, "MQTT 2.2.3" for a section, empty for a limit of ours.
[[nodiscard]] std::string_view clause(DecodeError error) noexcept;
/// Number of the catalogue, "E3501" and on; stable. Numbers from E3560 are the broker's.
[[nodiscard]] std::string_view number(DecodeError error) noexcept;
/// What the sender can do about it, a sentence for people.
[[nodiscard]] std::string_view how(DecodeError error) noexcept;
/// The fault in the form that notices and the API show.
[[nodiscard]] Error to_error(DecodeError error);

/// The CONNACK that the fault is answered with before closing; nullopt: close without a word
/// [MQTT-3.1.4-1]. Only an unserved protocol level has one [MQTT-3.1.2-2].
[[nodiscard]] std::optional<ConnectCode> refusal(DecodeError error) noexcept;

/// A decoded value, or why the bytes are none. "Not enough bytes yet" never gets here: the framer
/// hands out whole packets.
template <typename T>
class [[nodiscard]] Decoded {
  public:
    Decoded(T value) noexcept : state_(std::move(value)) {}
    Decoded(DecodeError error) noexcept : state_(error) {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    /// Only with a value.
    [[nodiscard]] const T& value() const noexcept { return *std::get_if<0>(&state_); }
    [[nodiscard]] const T& operator*() const noexcept { return value(); }
    [[nodiscard]] const T* operator->() const noexcept { return std::get_if<0>(&state_); }
    /// Only without a value.
    [[nodiscard]] DecodeError error() const noexcept { return *std::get_if<1>(&state_); }

  private:
    std::variant<T, DecodeError> state_;
};

}  // namespace iotsky::mqtt
