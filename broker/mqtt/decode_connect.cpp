#include "broker/mqtt/decode_connect.hpp"

#include "broker/mqtt/reader.hpp"
#include "broker/mqtt/topic.hpp"

namespace iotsky::mqtt {
namespace {

/// Connect Flags, figure 3.4.
struct ConnectFlags {
    unsigned bits = 0;

    [[nodiscard]] bool reserved() const noexcept { return (bits & 0x01U) != 0; }
    [[nodiscard]] bool clean_session() const noexcept { return (bits & 0x02U) != 0; }
    [[nodiscard]] bool will() const noexcept { return (bits & 0x04U) != 0; }
    [[nodiscard]] unsigned will_qos() const noexcept { return (bits >> 3U) & 3U; }
    [[nodiscard]] bool will_retain() const noexcept { return (bits & 0x20U) != 0; }
    [[nodiscard]] bool password() const noexcept { return (bits & 0x40U) != 0; }
    [[nodiscard]] bool user_name() const noexcept { return (bits & 0x80U) != 0; }
};

/// The versions that are served: 3.1.1, and 3.1 under its older name.
std::uint8_t read_protocol(Reader& in) noexcept {
    const std::string_view name = as_text(in.binary());
    if (name != "MQTT" && name != "MQIsdp") {
        in.fail(DecodeError::protocol_name);  // [MQTT-3.1.2-1]
    }
    const std::uint8_t level = in.u8();
    if (level != (name == "MQTT" ? kLevel311 : kLevel31)) {
        in.fail(DecodeError::protocol_level);  // [MQTT-3.1.2-2]
    }
    return level;
}

void check_flags(Reader& in, ConnectFlags flags, std::uint8_t level) noexcept {
    if (flags.reserved() && level != kLevel31) {      // "not used" there
        in.fail(DecodeError::connect_reserved_flag);  // [MQTT-3.1.2-3]
    }
    if (!flags.will() && flags.will_qos() != 0) {
        in.fail(DecodeError::will_qos_without_will);  // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
    }
    if (!flags.will() && flags.will_retain()) {
        in.fail(DecodeError::will_retain_without_will);  // [MQTT-3.1.2-11], [MQTT-3.1.2-15]
    }
    if (flags.will_qos() == 3) {
        in.fail(DecodeError::will_qos_3);  // [MQTT-3.1.2-14]
    }
    if (flags.password() && !flags.user_name()) {
        in.fail(DecodeError::password_without_user_name);  // [MQTT-3.1.2-22]
    }
}

WillView read_will(Reader& in, ConnectFlags flags) noexcept {
    WillView will;
    will.topic = in.text();  // [MQTT-3.1.3-10]
    if (will.topic.empty()) {
        in.fail(DecodeError::topic_empty);  // [MQTT-4.7.3-1]
    }
    if (has_wildcard(will.topic)) {
        in.fail(DecodeError::will_topic_wildcard);  // [MQTT-4.7.1-1]
    }
    will.payload = in.binary();
    will.qos = static_cast<Qos>(flags.will_qos());
    will.retain = flags.will_retain();
    return will;
}

}  // namespace

Decoded<ConnectView> decode_connect(Bytes body) noexcept {
    Reader in(body);
    ConnectView connect;
    connect.protocol_level = read_protocol(in);
    const ConnectFlags flags{in.u8()};
    check_flags(in, flags, connect.protocol_level);
    connect.clean_session = flags.clean_session();
    connect.keep_alive_s = in.u16();
    connect.client_id = in.text();  // [MQTT-3.1.3-3], [MQTT-3.1.3-4]
    if (flags.will()) {
        connect.will = read_will(in, flags);  // [MQTT-3.1.2-9]
    }
    if (flags.user_name()) {
        connect.user_name = in.text();  // [MQTT-3.1.2-19], [MQTT-3.1.3-11]
    }
    if (flags.password()) {
        connect.password = in.binary();  // [MQTT-3.1.2-21]
    }
    return in.finish(connect);  // [MQTT-3.1.2-18], [MQTT-3.1.2-20], [MQTT-3.1.3-1]
}

}  // namespace iotsky::mqtt
