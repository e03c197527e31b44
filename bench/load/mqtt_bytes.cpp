#include "bench/load/mqtt_bytes.hpp"

#include <stdexcept>

namespace iotsky::load {
namespace {

constexpr std::uint8_t kConnect = 0x10;
constexpr std::uint8_t kSubscribe = 0x82;
constexpr std::uint8_t kCleanSession = 2;

void put_number(Bytes& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8U));
    out.push_back(static_cast<std::uint8_t>(value & 0xFFU));
}

void put_text(Bytes& out, std::string_view text) {
    put_number(out, text.size());
    out.insert(out.end(), text.begin(), text.end());
}

void put_head(Bytes& out, unsigned first, std::size_t remaining) {
    out.push_back(static_cast<std::uint8_t>(first));
    do {
        const auto low = static_cast<std::uint8_t>(remaining % 128);
        remaining /= 128;
        out.push_back(remaining > 0 ? static_cast<std::uint8_t>(low | 0x80U) : low);
    } while (remaining > 0);
}

}  // namespace

void put_connect(Bytes& out, std::string_view client_id, bool persistent) {
    put_head(out, kConnect, 10 + 2 + client_id.size());
    put_text(out, "MQTT");
    out.push_back(4);  // protocol level of 3.1.1
    out.push_back(persistent ? 0 : kCleanSession);
    put_number(out, 0);  // no keep alive: a silent generator is no dead client
    put_text(out, client_id);
}

void put_subscribe(Bytes& out, std::uint16_t packet_id, std::string_view filter, int qos) {
    put_head(out, kSubscribe, 2 + 2 + filter.size() + 1);
    put_number(out, packet_id);
    put_text(out, filter);
    out.push_back(static_cast<std::uint8_t>(qos));
}

void put_publish(Bytes& out, std::string_view topic, int qos, std::uint16_t packet_id,
                 std::span<const std::uint8_t> payload) {
    const std::size_t id_bytes = qos > 0 ? 2 : 0;
    put_head(out, 0x30U | static_cast<unsigned>(qos) << 1U,
             2 + topic.size() + id_bytes + payload.size());
    put_text(out, topic);
    if (qos > 0) {
        put_number(out, packet_id);
    }
    out.insert(out.end(), payload.begin(), payload.end());
}

void put_ack(Bytes& out, Kind kind, std::uint16_t packet_id) {
    const unsigned flags = kind == Kind::pubrel ? 2U : 0U;
    put_head(out, static_cast<unsigned>(kind) << 4U | flags, 2);
    put_number(out, packet_id);
}

std::optional<Packet> front_packet(std::span<const std::uint8_t> in) {
    std::size_t remaining = 0;
    for (std::size_t at = 1; at < in.size() && at <= 4; ++at) {
        remaining |= static_cast<std::size_t>(in[at] & 0x7FU) << (7 * (at - 1));
        if ((in[at] & 0x80U) == 0) {
            const std::size_t head = at + 1;
            if (in.size() < head + remaining) {
                return std::nullopt;
            }
            return Packet{static_cast<Kind>(in[0] >> 4U), static_cast<std::uint8_t>(in[0] & 15U),
                          in.subspan(head, remaining), head + remaining};
        }
    }
    return std::nullopt;
}

std::uint16_t number_at(std::span<const std::uint8_t> in, std::size_t at) {
    if (in.size() < at + 2) {
        throw std::runtime_error("the broker sent a packet that is too short");
    }
    return static_cast<std::uint16_t>(in[at] << 8U | in[at + 1]);
}

}  // namespace iotsky::load
