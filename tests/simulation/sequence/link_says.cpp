// What the client of a link says.
#include <array>
#include <span>

#include "base/bytes.hpp"
#include "broker/mqtt/encode_client.hpp"
#include "tests/simulation/sequence/link.hpp"

namespace iotsky::simulation {
namespace {

using mqtt::PacketType;
using Bytes = std::vector<std::byte>;

constexpr std::array<const char*, 3> kTopics{"a", "a/b", "c"};
constexpr std::array<const char*, 4> kFilters{"a", "a/#", "+/b", "#"};
constexpr std::size_t kSizes[] = {0, 3, 300, 5000};

}  // namespace

void Link::connect(Source& in, Bytes& out) {
    const unsigned kind = in.next();
    mqtt::ConnectView connect;
    scope_ = (kind & 1U) != 0 ? "u" : "v";
    client_id_ = (kind & 2U) != 0 ? "x" : "y";
    connect.user_name = scope_;
    connect.client_id = client_id_;
    connect.clean_session = (kind & 12U) == 0;
    connect.protocol_level = (kind & 48U) == 48U ? mqtt::kLevel31 : mqtt::kLevel311;
    if ((kind & 64U) != 0) {
        connect.will = mqtt::WillView{"a", as_bytes("w"), mqtt::Qos{std::uint8_t((kind >> 2U) % 3)},
                                      (kind & 128U) != 0};
    }
    level_31_ = connect.protocol_level == mqtt::kLevel31;
    exact_ = exact_ && !asked_;
    asked_ = true;
    persistent_ = !connect.clean_session;
    mqtt::append_connect(out, connect).value();
}

void Link::subscribe(Source& in, Bytes& out) {
    const std::string_view filter = kFilters[in.below(kFilters.size())];
    const mqtt::SubscribeRequest request{filter, mqtt::Qos{std::uint8_t(in.below(3))}};
    const std::uint16_t id = next_subscribe_id_++;
    const std::string key{filter};
    (once_.insert(key).second ? once_ : more_).insert(key);
    filters_[id] = key;
    questions_[PacketType::suback].push_back(id);
    mqtt::append_subscribe(out, id, std::span{&request, 1}).value();
}

void Link::publish(Source& in, Bytes& out) {
    const unsigned kind = in.next();
    const Bytes payload(kSizes[(kind >> 4U) % 4], std::byte(in.next()));
    mqtt::PublishView p;
    p.topic = kTopics[kind % 3];
    p.qos = mqtt::Qos{std::uint8_t((kind >> 2U) % 3)};
    p.retain = (kind & 64U) != 0;
    p.payload = payload;
    if (p.qos != mqtt::Qos::at_most_once) {
        p.packet_id = static_cast<std::uint16_t>(1 + in.below(4));
        p.dup = (kind & 128U) != 0;
        questions_[p.qos == mqtt::Qos::at_least_once ? PacketType::puback : PacketType::pubrec]
            .push_back(p.packet_id);
    }
    mqtt::append_publish(out, p).value();
}

void Link::answer(Source& in, Bytes& out, PacketType type) {
    const unsigned which = in.next();
    const auto id = which < 128 ? last_id_ : static_cast<std::uint16_t>(1 + which % 8);
    if (type == PacketType::pubrel) {
        questions_[PacketType::pubcomp].push_back(id);
    } else if (type == PacketType::pubrec) {
        if (on_its_way_.count(id) != 0 && answered_.count(id) == 0) {
            received_.insert(id);
        }
        answered_.insert(id);
    } else {
        answered_.insert(id);
        on_its_way_.erase(id);
    }
    mqtt::append_ack(out, type, id);
}

void Link::send(Source& in) {
    Bytes out;
    switch (in.below(12)) {
        case 0:
            connect(in, out);
            break;
        case 1:
            subscribe(in, out);
            break;
        case 2: {
            const std::string_view filter = kFilters[in.below(kFilters.size())];
            more_.insert(std::string{filter});
            questions_[PacketType::unsuback].push_back(7);
            mqtt::append_unsubscribe(out, 7, std::span{&filter, 1}).value();
            break;
        }
        case 3:
        case 4:
        case 5:
            publish(in, out);
            break;
        case 6:
            answer(in, out, PacketType::puback);
            break;
        case 7:
            answer(in, out, PacketType::pubrec);
            break;
        case 8:
            answer(in, out, PacketType::pubrel);
            break;
        case 9:
            answer(in, out, PacketType::pubcomp);
            break;
        case 10:
            questions_[PacketType::pingresp].push_back(0);
            mqtt::append_pingreq(out);
            break;
        default:
            exact_ = false;
            mqtt::append_disconnect(out);
    }
    exact_ = exact_ && asked_;
    put(out);
}

}  // namespace iotsky::simulation
