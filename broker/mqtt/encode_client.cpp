#include "broker/mqtt/encode_client.hpp"

#include <array>
#include <string>

#include "broker/mqtt/encode.hpp"

namespace iotsky::mqtt {
namespace {

using Out = std::vector<std::byte>;

Error too_long(std::string_view what, std::size_t bytes, std::size_t bytes_max) {
    return make_error(Errc::invalid_argument, "E3540",
                      std::string(what) + " of " + std::to_string(bytes) +
                          " bytes does not fit into an MQTT packet",
                      "MQTT 3.1.1 carries at most " + std::to_string(bytes_max) + " bytes there.",
                      "Send a shorter one.");
}

Result<void> check_field(std::string_view what, Bytes field) {
    if (field.size() > kFieldBytesMax) {
        return too_long(what, field.size(), kFieldBytesMax);
    }
    return {};
}

Result<void> check_body(std::size_t body_bytes) {
    if (body_bytes > kRemainingLengthMax) {
        return too_long("a packet", body_bytes, kRemainingLengthMax);
    }
    return {};
}

void append(Out& out, Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_u16(Out& out, std::size_t value) {
    std::array<std::byte, 2> bytes{};
    store_u16(bytes, static_cast<std::uint16_t>(value));
    append(out, bytes);
}

void append_field(Out& out, Bytes field) {
    append_u16(out, field.size());
    append(out, field);
}

void append_fixed_header(Out& out, PacketType type, unsigned flags, std::size_t body_bytes) {
    out.push_back(static_cast<std::byte>((static_cast<unsigned>(type) << 4U) | flags));
    std::array<std::byte, 4> length{};
    const std::size_t n = encode_remaining_length(length, static_cast<std::uint32_t>(body_bytes));
    append(out, Bytes(length).first(n));
}

/// The payload of a CONNECT: one field after the other [MQTT-3.1.3-1].
Result<Out> connect_payload(const ConnectView& connect) {
    Out fields;
    const auto add = [&fields](std::string_view what, Bytes field) -> Result<void> {
        IOTSKY_CHECK(check_field(what, field));
        append_field(fields, field);
        return {};
    };
    IOTSKY_CHECK(add("a Client Identifier", as_bytes(connect.client_id)));
    if (connect.will) {
        IOTSKY_CHECK(add("a Will Topic", as_bytes(connect.will->topic)));
        IOTSKY_CHECK(add("a Will Message", connect.will->payload));
    }
    if (connect.user_name) {
        IOTSKY_CHECK(add("a User Name", as_bytes(*connect.user_name)));
    }
    if (connect.password) {
        IOTSKY_CHECK(add("a Password", *connect.password));
    }
    return fields;
}

unsigned connect_flags(const ConnectView& connect) noexcept {
    unsigned flags = connect.clean_session ? 0x02U : 0U;
    if (connect.will) {
        flags |= 0x04U | (static_cast<unsigned>(connect.will->qos) << 3U) |
                 (connect.will->retain ? 0x20U : 0U);
    }
    return flags | (connect.password ? 0x40U : 0U) | (connect.user_name ? 0x80U : 0U);
}

}  // namespace

Result<void> append_connect(Out& out, const ConnectView& connect) {
    IOTSKY_TRY(payload, connect_payload(connect));
    const std::string_view name = connect.protocol_level == 3 ? "MQIsdp" : "MQTT";
    append_fixed_header(out, PacketType::connect, 0, 2 + name.size() + 4 + payload.size());
    append_field(out, as_bytes(name));
    out.push_back(static_cast<std::byte>(connect.protocol_level));
    out.push_back(static_cast<std::byte>(connect_flags(connect)));
    append_u16(out, connect.keep_alive_s);
    append(out, payload);
    return {};
}

Result<void> append_publish(Out& out, const PublishView& publish) {
    IOTSKY_CHECK(check_field("a Topic Name", as_bytes(publish.topic)));
    const std::size_t size =
        publish_size(publish.topic.size(), publish.payload.size(), publish.qos);
    if (size == 0) {
        return too_long("a payload", publish.payload.size(),
                        kRemainingLengthMax - publish.topic.size() - 4);
    }
    const std::size_t at = out.size();
    out.resize(at + size - publish.payload.size());
    encode_publish_head(std::span(out).subspan(at),
                        PublishFlags{publish.dup, publish.qos, publish.retain}, publish.topic,
                        publish.packet_id, publish.payload.size());
    append(out, publish.payload);
    return {};
}

Result<void> append_subscribe(Out& out, std::uint16_t packet_id,
                              std::span<const SubscribeRequest> requests) {
    std::size_t body_bytes = 2;
    for (const SubscribeRequest& request : requests) {
        IOTSKY_CHECK(check_field("a Topic Filter", as_bytes(request.filter)));
        body_bytes += 2 + request.filter.size() + 1;
    }
    IOTSKY_CHECK(check_body(body_bytes));
    append_fixed_header(out, PacketType::subscribe, 2, body_bytes);  // [MQTT-3.8.1-1]
    append_u16(out, packet_id);
    for (const SubscribeRequest& request : requests) {
        append_field(out, as_bytes(request.filter));
        out.push_back(static_cast<std::byte>(request.qos));
    }
    return {};
}

Result<void> append_unsubscribe(Out& out, std::uint16_t packet_id,
                                std::span<const std::string_view> filters) {
    std::size_t body_bytes = 2;
    for (const std::string_view filter : filters) {
        IOTSKY_CHECK(check_field("a Topic Filter", as_bytes(filter)));
        body_bytes += 2 + filter.size();
    }
    IOTSKY_CHECK(check_body(body_bytes));
    append_fixed_header(out, PacketType::unsubscribe, 2, body_bytes);  // [MQTT-3.10.1-1]
    append_u16(out, packet_id);
    for (const std::string_view filter : filters) {
        append_field(out, as_bytes(filter));
    }
    return {};
}

void append_ack(Out& out, PacketType type, std::uint16_t packet_id) {
    append(out, encode_ack(type, packet_id));
}

void append_pingreq(Out& out) {
    append_fixed_header(out, PacketType::pingreq, 0, 0);
}

void append_disconnect(Out& out) {
    append_fixed_header(out, PacketType::disconnect, 0, 0);
}

}  // namespace iotsky::mqtt
