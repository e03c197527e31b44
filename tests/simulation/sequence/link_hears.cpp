// What must be true of what the client of a link hears.
#include <algorithm>

#include "broker/mqtt/decode.hpp"
#include "tests/simulation/sequence/link.hpp"
#include "tests/support/mqtt_text.hpp"

namespace iotsky::simulation {
namespace {

using mqtt::PacketType;
using Bytes = std::vector<std::byte>;

}  // namespace

std::string Link::listen(const Tables& disk) {
    const auto came = std::exchange(wire_->to_client, {});
    const Bytes bytes(came.begin(), came.end());
    mqtt::Bytes in{bytes};
    for (;;) {
        const mqtt::FrameResult found = framer_.next(in);
        if (found.kind == mqtt::FrameResult::Kind::error) {
            return "no packet came";
        }
        if (found.kind == mqtt::FrameResult::Kind::need_more) {
            return "";
        }
        const auto packet = mqtt::decode(found.frame, mqtt::Direction::from_server);
        if (!packet) {
            return "a " + std::string{mqtt::to_string(found.frame.type())} + ": " +
                   std::string{mqtt::text(packet.error())};
        }
        std::string fault = on_packet(*packet, disk);
        if (!fault.empty()) {
            return fault + ": " + test::describe(*packet);
        }
    }
}

std::string Link::on_packet(const mqtt::PacketView& packet, const Tables& disk) {
    if (const auto* connack = std::get_if<mqtt::ConnackView>(&packet)) {
        const bool accepted = connack->code == mqtt::ConnectCode::accepted;
        if (std::exchange(open_, true) || !asked_) {
            return exact_ ? "a CONNACK that nobody asked for" : "";
        }
        return accepted && promised() && !disk.has_session(scope_, client_id_)
                   ? "before the session was on disk"
                   : "";
    }
    if (!open_) {
        return "before CONNACK";
    }
    return std::visit(
        test::Overloaded{
            [&](const mqtt::PublishView& p) { return on_publish(p, disk); },
            [&]<PacketType type>(const mqtt::AckView<type>& p) {
                return on_answer(type, p.packet_id, disk);
            },
            [&](const mqtt::SubackView& p) {
                if (p.codes[0] == mqtt::kSubackFailure || level_31_) {
                    more_.insert(filters_[p.packet_id]);  // refused: the disk has not heard of it
                }
                return on_answer(PacketType::suback, p.packet_id, disk);
            },
            [&](const mqtt::PingrespView&) { return on_answer(PacketType::pingresp, 0, disk); },
            [&](const auto&) { return std::string{"a client's packet"}; },
        },
        packet);
}

std::string Link::on_publish(const mqtt::PublishView& p, const Tables& disk) {
    if (p.qos == mqtt::Qos::at_most_once) {
        return "";
    }
    last_id_ = p.packet_id;
    Sent sent{std::string{p.topic}, {p.payload.begin(), p.payload.end()}};
    const auto [known, is_new] = on_its_way_.try_emplace(p.packet_id, std::move(sent));
    if (!is_new && exact_ && answered_.count(p.packet_id) == 0) {
        return "its identifier names another message that is on its way";
    }
    if (p.qos == mqtt::Qos::exactly_once && promised() && answered_.count(p.packet_id) == 0 &&
        !disk.has_in_flight(scope_, client_id_, p.packet_id)) {
        return "before its identifier was on disk";
    }
    return "";
}

std::string Link::on_answer(PacketType type, std::uint16_t id, const Tables& disk) {
    if (type == PacketType::pubrel) {
        const bool sure = promised() && received_.count(id) != 0 && on_its_way_.count(id) != 0;
        return sure && !disk.has_released(scope_, client_id_, id) ? "before PUBREC was on disk"
                                                                  : "";
    }
    auto& open = questions_[type];
    if (!exact_) {
        return "";
    }
    if (open.empty() || open.front() != id) {
        return "an answer that nobody waits for, or not now";
    }
    open.pop_front();
    if (!promised()) {
        return "";
    }
    const auto& released = questions_[PacketType::pubcomp];
    const bool release_waits = std::find(released.begin(), released.end(), id) != released.end();
    if (type == PacketType::pubrec && !release_waits && !disk.has_inbound(scope_, client_id_, id)) {
        return "before the message was on disk";
    }
    const auto& again = questions_[PacketType::pubrec];
    const bool comes_again = std::find(again.begin(), again.end(), id) != again.end();
    if (type == PacketType::pubcomp && !comes_again && !release_waits &&
        disk.has_inbound(scope_, client_id_, id)) {
        return "before the release was on disk";
    }
    if (type == PacketType::suback) {
        const std::string& filter = filters_[id];
        if (more_.count(filter) == 0 && !disk.has_subscription(scope_, client_id_, filter)) {
            return "before the subscription was on disk";
        }
    }
    return "";
}

}  // namespace iotsky::simulation
