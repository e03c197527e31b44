#include "broker/mqtt/decode_error.hpp"

#include <array>
#include <string>

namespace iotsky::mqtt {
namespace {

struct Fault {
    DecodeError error;
    std::string_view number;
    std::string_view clause;
    std::string_view text;
    std::string_view how;
};

constexpr std::string_view kBrokenLibrary =
    "The client's MQTT library is faulty or its memory was overwritten; update the library.";
constexpr std::string_view kOutOfStep =
    "The stream is out of step: check that one task alone writes to the connection.";
constexpr std::string_view kTextIsUtf8 =
    "Encode the text as UTF-8 before it is handed to the MQTT library.";

// Numbers are stable: a new fault takes the next free one. E3507 is the catalogue's own example.
constexpr std::array<Fault, kDecodeErrors> kFaults{{
    {DecodeError::remaining_length_too_long, "E3501", "MQTT 2.2.3",
     "the Remaining Length has more than four bytes", kOutOfStep},
    {DecodeError::packet_too_large, "E3502", "", "the packet is larger than this listener allows",
     "Send less in one message, or raise packet_bytes_max of the listener."},
    {DecodeError::reserved_packet_type, "E3503", "MQTT 2.2.1", "packet types 0 and 15 are reserved",
     kOutOfStep},
    {DecodeError::wrong_direction, "E3504", "MQTT 2.2.1",
     "only the other side may send this type of packet",
     "Connect a client to a broker: two brokers or two clients cannot talk."},
    {DecodeError::reserved_flags, "E3505", "MQTT-2.2.2-2",
     "reserved flags of the fixed header are not 0", kBrokenLibrary},
    {DecodeError::pubrel_flags, "E3506", "MQTT-3.6.1-1", "the flags of PUBREL are not 0010",
     kBrokenLibrary},
    {DecodeError::subscribe_flags, "E3507", "MQTT-3.8.1-1", "the flags of SUBSCRIBE are not 0010",
     kBrokenLibrary},
    {DecodeError::unsubscribe_flags, "E3508", "MQTT-3.10.1-1",
     "the flags of UNSUBSCRIBE are not 0010", kBrokenLibrary},
    {DecodeError::disconnect_flags, "E3509", "MQTT-3.14.1-1", "the flags of DISCONNECT are not 0",
     kBrokenLibrary},
    {DecodeError::packet_too_short, "E3510", "MQTT 2.2.3", "the packet ends inside a field",
     kBrokenLibrary},
    {DecodeError::trailing_bytes, "E3511", "MQTT 2.2.3", "bytes follow the packet's last field",
     kBrokenLibrary},
    {DecodeError::packet_id_zero, "E3512", "MQTT-2.3.1-1", "the Packet Identifier is 0",
     "Number packets from 1 to 65535."},
    {DecodeError::text_ill_formed, "E3513", "MQTT-1.5.3-1", "a text is not valid UTF-8",
     kTextIsUtf8},
    {DecodeError::text_nul, "E3514", "MQTT-1.5.3-2", "a text contains the character U+0000",
     "Send the text without its terminating zero byte."},
    {DecodeError::topic_empty, "E3515", "MQTT-4.7.3-1", "a Topic Name or Topic Filter is empty",
     "Give the topic at least one character."},
    {DecodeError::filter_hash, "E3516", "MQTT-4.7.1-2",
     "'#' in a Topic Filter is not the whole last level",
     "Write it alone and last: \"a/#\", not \"a#\" and not \"a/#/b\"."},
    {DecodeError::filter_plus, "E3517", "MQTT-4.7.1-3",
     "'+' in a Topic Filter is not a whole level", "Write it alone: \"a/+/b\", not \"a/b+\"."},
    {DecodeError::protocol_name, "E3518", "MQTT-3.1.2-1",
     "the Protocol Name is neither \"MQTT\" nor \"MQIsdp\"",
     "Check that an MQTT client connects here, and that it sends CONNECT first."},
    {DecodeError::protocol_level, "E3519", "MQTT-3.1.2-2",
     "this version of MQTT is not served; 3.1.1 and 3.1 are",
     "Set the client to MQTT 3.1.1 (protocol level 4)."},
    {DecodeError::connect_reserved_flag, "E3520", "MQTT-3.1.2-3",
     "the reserved bit of the Connect Flags is not 0", kBrokenLibrary},
    {DecodeError::will_topic_wildcard, "E3521", "MQTT-4.7.1-1",
     "the Will Topic contains '+' or '#'", "A Will is published to one topic: name it in full."},
    {DecodeError::will_qos_without_will, "E3522", "MQTT-3.1.2-13",
     "Will QoS is not 0 although there is no Will", kBrokenLibrary},
    {DecodeError::will_qos_3, "E3523", "MQTT-3.1.2-14", "Will QoS is 3", "Use QoS 0, 1 or 2."},
    {DecodeError::will_retain_without_will, "E3524", "MQTT-3.1.2-15",
     "Will Retain is set although there is no Will", kBrokenLibrary},
    {DecodeError::password_without_user_name, "E3525", "MQTT-3.1.2-22",
     "a Password comes without a User Name", "Set a User Name too, or no Password."},
    {DecodeError::publish_dup_at_qos_0, "E3526", "MQTT-3.3.1-2", "DUP is set in a PUBLISH of QoS 0",
     kBrokenLibrary},
    {DecodeError::publish_qos_3, "E3527", "MQTT-3.3.1-4", "the QoS of a PUBLISH is 3",
     "Use QoS 0, 1 or 2."},
    {DecodeError::publish_topic_wildcard, "E3528", "MQTT-3.3.2-2",
     "the Topic Name of a PUBLISH contains '+' or '#'",
     "A message is published to one topic: name it in full."},
    {DecodeError::subscribe_empty, "E3529", "MQTT-3.8.3-3", "a SUBSCRIBE has no Topic Filter",
     "Give it one Topic Filter at least."},
    {DecodeError::subscribe_reserved, "E3530", "MQTT-3.8.3-4",
     "reserved bits of a Requested QoS are not 0",
     "Use an MQTT 3.1.1 library: subscription options of MQTT 5 are not served."},
    {DecodeError::subscribe_qos_3, "E3531", "MQTT-3.8.3-4", "a Requested QoS is 3",
     "Use QoS 0, 1 or 2."},
    {DecodeError::unsubscribe_empty, "E3532", "MQTT-3.10.3-2", "an UNSUBSCRIBE has no Topic Filter",
     "Give it one Topic Filter at least."},
    {DecodeError::connack_reserved_flag, "E3533", "MQTT 3.2.2.1",
     "reserved bits of the Acknowledge Flags are not 0", kBrokenLibrary},
    {DecodeError::connack_code, "E3534", "MQTT 3.2.2.3", "the return code of CONNACK is reserved",
     "Check that the server speaks MQTT 3.1.1."},
    {DecodeError::connack_session_present, "E3535", "MQTT-3.2.2-4",
     "Session Present is set beside a refusal", kBrokenLibrary},
    {DecodeError::suback_empty, "E3536", "MQTT 3.9.3", "a SUBACK has no return code",
     kBrokenLibrary},
    {DecodeError::suback_code, "E3537", "MQTT-3.9.3-2",
     "a return code of SUBACK is neither 0, 1, 2 nor 128", kBrokenLibrary},
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < kFaults.size(); ++i) {
        if (static_cast<std::size_t>(kFaults[i].error) != i) {
            return false;
        }
    }
    return static_cast<std::size_t>(DecodeError::suback_code) + 1 == kDecodeErrors;
}
static_assert(in_order(), "kFaults is indexed by DecodeError");

const Fault& fault(DecodeError error) noexcept {
    return kFaults[static_cast<std::size_t>(error)];
}

}  // namespace

std::string_view text(DecodeError error) noexcept {
    return fault(error).text;
}
std::string_view clause(DecodeError error) noexcept {
    return fault(error).clause;
}
std::string_view number(DecodeError error) noexcept {
    return fault(error).number;
}
std::string_view how(DecodeError error) noexcept {
    return fault(error).how;
}

Error to_error(DecodeError error) {
    const Fault& f = fault(error);
    std::string why = f.clause.empty() ? std::string("A limit of this broker.")
                                       : "The standard forbids it (" + std::string(f.clause) + ").";
    const Errc code = error == DecodeError::packet_too_large ? Errc::limit_exceeded
                      : error == DecodeError::protocol_level ? Errc::unsupported
                                                             : Errc::invalid_argument;
    return make_error(code, f.number, std::string(f.text), std::move(why), std::string(f.how));
}

std::optional<ConnectCode> refusal(DecodeError error) noexcept {
    if (error == DecodeError::protocol_level) {
        return ConnectCode::unacceptable_protocol_version;
    }
    return std::nullopt;  // closed without a word [MQTT-3.1.4-1], [MQTT-3.2.2-6]
}

}  // namespace iotsky::mqtt
