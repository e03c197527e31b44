#include "tests/support/mqtt_text.hpp"

#include <stdexcept>

#include "base/text.hpp"
#include "broker/mqtt/encode.hpp"
#include "broker/mqtt/encode_client.hpp"

namespace iotsky::test {
namespace {

using mqtt::AckView;
using mqtt::Bytes;
using mqtt::PacketType;

unsigned digit(char c) {
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned>(c - '0');
    }
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f') {
        return static_cast<unsigned>(lower - 'a' + 10);
    }
    throw std::invalid_argument(std::string("not a hex digit: ") + c);
}

std::string number(std::string_view name, unsigned value) {
    return " " + std::string(name) + "=" + std::to_string(value);
}

std::string field(std::string_view name, std::string_view value) {
    return " " + std::string(name) + "=" + escape(value, mqtt::kFieldBytesMax);
}

std::string describe_connect(const mqtt::ConnectView& p) {
    std::string line = "CONNECT" + number("level", p.protocol_level) +
                       number("clean", p.clean_session) + number("keep_alive", p.keep_alive_s) +
                       field("id", p.client_id);
    if (p.will) {
        line += field("will", p.will->topic) + field("message", hex(p.will->payload)) +
                number("will_qos", static_cast<unsigned>(p.will->qos)) +
                number("will_retain", p.will->retain);
    }
    if (p.user_name) {
        line += field("user", *p.user_name);
    }
    if (p.password) {
        line += field("password", hex(*p.password));
    }
    return line;
}

std::string describe_publish(const mqtt::PublishView& p) {
    return "PUBLISH" + number("dup", p.dup) + number("qos", static_cast<unsigned>(p.qos)) +
           number("retain", p.retain) + field("topic", p.topic) + number("id", p.packet_id) +
           field("payload", hex(p.payload));
}

std::string describe_subscribe(const mqtt::SubscribeView& p) {
    std::string line = "SUBSCRIBE" + number("id", p.packet_id) +
                       number("count", static_cast<unsigned>(p.requests.size()));
    for (const mqtt::SubscribeRequest request : p.requests) {
        line += field("filter", request.filter) + number("qos", static_cast<unsigned>(request.qos));
    }
    return line;
}

std::string describe_unsubscribe(const mqtt::UnsubscribeView& p) {
    std::string line = "UNSUBSCRIBE" + number("id", p.packet_id) +
                       number("count", static_cast<unsigned>(p.filters.size()));
    for (const std::string_view filter : p.filters) {
        line += field("filter", filter);
    }
    return line;
}

template <typename T>
std::vector<std::byte> bytes_of(const T& array) {
    return {array.begin(), array.end()};
}

std::vector<std::byte> reencode_suback(const mqtt::SubackView& p) {
    std::vector<std::byte> out(mqtt::suback_size(p.codes.size()));
    mqtt::encode_suback(out, p.packet_id, p.codes);
    return out;
}

}  // namespace

std::vector<std::byte> from_hex(std::string_view hex) {
    std::vector<std::byte> out;
    std::string digits;
    for (const char c : hex) {
        if (c != ' ') {
            digits += c;
        }
    }
    if (digits.size() % 2 != 0) {
        throw std::invalid_argument("odd number of hex digits");
    }
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        out.push_back(static_cast<std::byte>(digit(digits[i]) * 16 + digit(digits[i + 1])));
    }
    return out;
}

std::string hex(Bytes bytes) {
    return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::string describe(const mqtt::PacketView& packet) {
    return std::visit(Overloaded{
                          [](const mqtt::ConnectView& p) { return describe_connect(p); },
                          [](const mqtt::ConnackView& p) {
                              return "CONNACK" + number("session_present", p.session_present) +
                                     number("code", static_cast<unsigned>(p.code));
                          },
                          [](const mqtt::PublishView& p) { return describe_publish(p); },
                          []<PacketType type>(const AckView<type>& p) {
                              return std::string(mqtt::to_string(type)) + number("id", p.packet_id);
                          },
                          [](const mqtt::SubscribeView& p) { return describe_subscribe(p); },
                          [](const mqtt::SubackView& p) {
                              return "SUBACK" + number("id", p.packet_id) +
                                     field("codes", hex(p.codes));
                          },
                          [](const mqtt::UnsubscribeView& p) { return describe_unsubscribe(p); },
                          [](const mqtt::PingreqView&) { return std::string("PINGREQ"); },
                          [](const mqtt::PingrespView&) { return std::string("PINGRESP"); },
                          [](const mqtt::DisconnectView&) { return std::string("DISCONNECT"); },
                      },
                      packet);
}

std::vector<std::byte> reencode(const mqtt::PacketView& packet) {
    std::vector<std::byte> out;
    std::visit(Overloaded{
                   [&](const mqtt::ConnectView& p) { mqtt::append_connect(out, p).value(); },
                   [&](const mqtt::ConnackView& p) {
                       out = bytes_of(mqtt::encode_connack(p.session_present, p.code));
                   },
                   [&](const mqtt::PublishView& p) { mqtt::append_publish(out, p).value(); },
                   [&]<PacketType type>(const AckView<type>& p) {
                       mqtt::append_ack(out, type, p.packet_id);
                   },
                   [&](const mqtt::SubscribeView& p) {
                       const std::vector<mqtt::SubscribeRequest> requests(p.requests.begin(),
                                                                          p.requests.end());
                       mqtt::append_subscribe(out, p.packet_id, requests).value();
                   },
                   [&](const mqtt::SubackView& p) { out = reencode_suback(p); },
                   [&](const mqtt::UnsubscribeView& p) {
                       const std::vector<std::string_view> filters(p.filters.begin(),
                                                                   p.filters.end());
                       mqtt::append_unsubscribe(out, p.packet_id, filters).value();
                   },
                   [&](const mqtt::PingreqView&) { mqtt::append_pingreq(out); },
                   [&](const mqtt::PingrespView&) { out = bytes_of(mqtt::encode_pingresp()); },
                   [&](const mqtt::DisconnectView&) { mqtt::append_disconnect(out); },
               },
               packet);
    return out;
}

mqtt::Frame frame_of(Bytes packet) {
    mqtt::Framer framer(mqtt::kRemainingLengthMax);
    const mqtt::FrameResult result = framer.next(packet);
    if (result.kind != mqtt::FrameResult::Kind::frame || !packet.empty()) {
        throw std::invalid_argument("not exactly one packet");
    }
    return result.frame;  // a view into `packet`: the framer copied nothing
}

}  // namespace iotsky::test
