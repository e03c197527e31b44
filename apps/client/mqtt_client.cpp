#include "apps/client/mqtt_client.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include "broker/mqtt/decode.hpp"
#include "broker/mqtt/encode_client.hpp"

namespace iotsky::apps {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kPacketBytesMax = mqtt::kRemainingLengthMax;

Error refused(mqtt::ConnectCode code) {
    constexpr std::array<const char*, 6> kReasons{
        "accepted",
        "it does not speak this protocol version",
        "the Client Identifier is not allowed",
        "it is not ready",
        "user name or password are wrong",
        "this identity has no right to connect: revoked, ended, or no certificate was shown"};
    const auto index = static_cast<std::size_t>(code);
    return make_error(
        Errc::permission_denied, "E1175",
        "The broker refused the connection (CONNACK " + std::to_string(index) + ").",
        index < kReasons.size() ? std::string{kReasons[index]} + "." : "The code is unknown.",
        "`iotsky thing refusals THING` and the broker's log tell the exact reason.");
}

Error not_mqtt() {
    return make_error(Errc::io, "E1177", "What came back is not MQTT.",
                      "Another service answers on this port.",
                      "Check host and port; `iotsky status` lists the broker's listeners.");
}

Error closed() {
    return make_error(Errc::io, "E1167", "The broker closed the connection.",
                      "MQTT 3.1.1 has no way to say why; the broker's log does.",
                      "`iotsky thing refusals THING`, or the log of the broker.");
}

Error no_answer(std::string_view what) {
    return make_error(Errc::unavailable, "E1167", "No " + std::string{what} + " came in time.",
                      "The broker is busy, or waits for its disk.",
                      "Try again; `iotsky status` tells how it is.");
}

}  // namespace

MqttClient::MqttClient(Stream stream, const MqttOptions& options)
    : stream_(std::move(stream)), options_(options), framer_(kPacketBytesMax) {}

Result<MqttClient> MqttClient::connect(const MqttOptions& options) {
    auto stream =
        options.tls ? Stream::connect_tls(options.host, options.port, options.timeout, *options.tls)
                    : Stream::connect_tcp(options.host, options.port, options.timeout);
    if (!stream) {
        return std::move(stream).error();
    }
    MqttClient client{std::move(*stream), options};
    mqtt::ConnectView connect;
    connect.client_id = options.client_id;
    connect.keep_alive_s = options.keep_alive_s;
    IOTSKY_CHECK(mqtt::append_connect(client.out_, connect));
    IOTSKY_CHECK(client.send());
    IOTSKY_CHECK(client.await(mqtt::PacketType::connack));
    if (client.code_ != mqtt::ConnectCode::accepted) {
        return refused(client.code_);
    }
    return client;
}

Result<void> MqttClient::send() {
    if (out_.empty()) {
        return {};
    }
    auto sent = stream_.write_all(out_);
    out_.clear();
    last_sent_ = Clock::now();
    return sent;
}

std::uint16_t MqttClient::next_id() noexcept {
    last_id_ = last_id_ == 65'535 ? std::uint16_t{1} : static_cast<std::uint16_t>(last_id_ + 1);
    return last_id_;
}

Result<void> MqttClient::publish(const MqttMessage& message) {
    mqtt::PublishView publish;
    publish.topic = message.topic;
    publish.payload = mqtt::as_bytes(message.payload);
    publish.qos = message.qos;
    publish.retain = message.retain;
    publish.packet_id = message.qos == mqtt::Qos::at_most_once ? std::uint16_t{0} : next_id();
    IOTSKY_CHECK(mqtt::append_publish(out_, publish));
    IOTSKY_CHECK(send());
    if (message.qos == mqtt::Qos::at_least_once) {
        return await(mqtt::PacketType::puback);
    }
    // PUBREC is answered with PUBREL where it is handled; PUBCOMP ends the exchange
    // (section 4.3.3).
    return message.qos == mqtt::Qos::exactly_once ? await(mqtt::PacketType::pubcomp)
                                                  : Result<void>{};
}

Result<bool> MqttClient::subscribe(std::string_view filter, mqtt::Qos qos) {
    const std::array<mqtt::SubscribeRequest, 1> requests{{{filter, qos}}};
    IOTSKY_CHECK(mqtt::append_subscribe(out_, next_id(), requests));
    IOTSKY_CHECK(send());
    IOTSKY_CHECK(await(mqtt::PacketType::suback));
    return granted_;
}

Result<std::optional<MqttMessage>> MqttClient::next(std::chrono::milliseconds wait) {
    const TimePoint deadline = Clock::now() + wait;
    while (messages_.empty()) {
        const TimePoint ping_at = last_sent_ + std::chrono::seconds{options_.keep_alive_s};
        if (options_.keep_alive_s != 0 && Clock::now() >= ping_at) {
            mqtt::append_pingreq(out_);
            IOTSKY_CHECK(send());
        }
        IOTSKY_TRY(type, take(options_.keep_alive_s == 0 ? deadline : std::min(deadline, ping_at)));
        if (!type && Clock::now() >= deadline) {
            return std::optional<MqttMessage>{};
        }
    }
    std::optional<MqttMessage> message{std::move(messages_.front())};
    messages_.pop_front();
    return message;
}

Result<void> MqttClient::settle() {
    mqtt::append_pingreq(out_);
    IOTSKY_CHECK(send());
    return await(mqtt::PacketType::pingresp);
}

void MqttClient::disconnect() {
    mqtt::append_disconnect(out_);
    // The connection ends either way; a peer that is gone already is no news.
    static_cast<void>(send());
}

Result<void> MqttClient::await(mqtt::PacketType type) {
    const TimePoint deadline = Clock::now() + options_.timeout;
    while (true) {
        IOTSKY_TRY(came, take(deadline));
        if (!came) {
            return no_answer(mqtt::to_string(type));
        }
        if (*came == type) {
            return {};
        }
    }
}

Result<std::optional<mqtt::PacketType>> MqttClient::take(TimePoint deadline) {
    while (true) {
        mqtt::Bytes waiting{in_};
        const mqtt::FrameResult found = framer_.next(waiting);
        if (found.kind == mqtt::FrameResult::Kind::error) {
            return not_mqtt();
        }
        if (found.kind == mqtt::FrameResult::Kind::frame) {
            const auto packet = mqtt::decode(found.frame, mqtt::Direction::from_server);
            if (!packet) {
                return not_mqtt();
            }
            handle(*packet);
            const mqtt::PacketType type = found.frame.type();
            in_.erase(in_.begin(), in_.end() - static_cast<std::ptrdiff_t>(waiting.size()));
            IOTSKY_CHECK(send());
            return std::optional{type};
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) {
            return std::optional<mqtt::PacketType>{};
        }
        in_.resize(64U << 10U);
        stream_.set_timeout(left);
        auto count = stream_.read_some(in_);
        in_.resize(count ? *count : 0);
        if (!count && count.error().code == Errc::unavailable) {
            return std::optional<mqtt::PacketType>{};
        }
        if (!count) {
            return std::move(count).error();
        }
        if (*count == 0) {
            return closed();
        }
    }
}

void MqttClient::handle_publish(const mqtt::PublishView& publish) {
    const bool again =
        publish.qos == mqtt::Qos::exactly_once &&
        std::find(received_.begin(), received_.end(), publish.packet_id) != received_.end();
    if (!again) {
        messages_.push_back({std::string{publish.topic},
                             std::string{mqtt::as_text(publish.payload)}, publish.qos,
                             publish.retain});
    }
    if (publish.qos == mqtt::Qos::at_least_once) {
        mqtt::append_ack(out_, mqtt::PacketType::puback, publish.packet_id);
    } else if (publish.qos == mqtt::Qos::exactly_once) {
        if (!again) {
            received_.push_back(publish.packet_id);
        }
        mqtt::append_ack(out_, mqtt::PacketType::pubrec, publish.packet_id);
    }
}

void MqttClient::handle(const mqtt::PacketView& packet) {
    std::visit(
        [this](const auto& view) {
            using View = std::remove_cvref_t<decltype(view)>;
            if constexpr (std::is_same_v<View, mqtt::ConnackView>) {
                code_ = view.code;
            } else if constexpr (std::is_same_v<View, mqtt::PublishView>) {
                handle_publish(view);
            } else if constexpr (std::is_same_v<View, mqtt::SubackView>) {
                granted_ = !view.codes.empty() && view.codes[0] != mqtt::kSubackFailure;
            } else if constexpr (std::is_same_v<View, mqtt::PubrecView>) {
                mqtt::append_ack(out_, mqtt::PacketType::pubrel, view.packet_id);
            } else if constexpr (std::is_same_v<View, mqtt::PubrelView>) {
                std::erase(received_, view.packet_id);
                mqtt::append_ack(out_, mqtt::PacketType::pubcomp, view.packet_id);
            }
        },
        packet);
}

}  // namespace iotsky::apps
