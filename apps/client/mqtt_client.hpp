#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/client/stream.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "broker/mqtt/framer.hpp"
#include "broker/mqtt/packet.hpp"

namespace iotsky::apps {

struct MqttOptions {
    std::string host;
    std::uint16_t port = 8883;
    std::optional<TlsClientOptions> tls;  ///< none: plain MQTT
    std::string client_id;                ///< empty: the broker makes one
    std::uint16_t keep_alive_s = 30;
    std::chrono::milliseconds timeout{10'000};  ///< of each answer
};

struct MqttMessage {
    std::string topic;
    std::string payload;
    mqtt::Qos qos = mqtt::Qos::at_most_once;
    bool retain = false;
};

/// A small MQTT 3.1.1 client for the command line: clean session, blocking. Confined to one thread.
class MqttClient {
  public:
    /// Connects and waits for CONNACK. Errors: those of Stream, E1175 refused (with the code in
    /// words).
    [[nodiscard]] static Result<MqttClient> connect(const MqttOptions& options);

    /// Sends a message and, above QoS 0, waits until the broker has taken it over.
    [[nodiscard]] Result<void> publish(const MqttMessage& message);
    /// Subscribes and waits for SUBACK. True: granted.
    [[nodiscard]] Result<bool> subscribe(std::string_view filter, mqtt::Qos qos);
    /// The next message, or nullopt when none came in time. Answers QoS 1 and 2, keeps the
    /// connection alive.
    [[nodiscard]] Result<std::optional<MqttMessage>> next(std::chrono::milliseconds wait);
    /// Waits until everything that the broker sent before was read: a PINGREQ and its answer.
    [[nodiscard]] Result<void> settle();
    /// Sends DISCONNECT; the connection is over.
    void disconnect();

  private:
    MqttClient(Stream stream, const MqttOptions& options);

    [[nodiscard]] Result<void> send();
    /// Handles one packet that came by `deadline`; nullopt type: none came.
    [[nodiscard]] Result<std::optional<mqtt::PacketType>> take(TimePoint deadline);
    [[nodiscard]] Result<void> await(mqtt::PacketType type);
    void handle(const mqtt::PacketView& packet);
    void handle_publish(const mqtt::PublishView& publish);
    [[nodiscard]] std::uint16_t next_id() noexcept;

    Stream stream_;
    MqttOptions options_;
    mqtt::Framer framer_;
    std::vector<std::byte> in_;            ///< read, not yet framed
    std::vector<std::byte> out_;           ///< to be sent
    std::deque<MqttMessage> messages_;     ///< received, not yet asked for
    std::vector<std::uint16_t> received_;  ///< QoS 2 identifiers between PUBREC and PUBREL
    mqtt::ConnectCode code_ = mqtt::ConnectCode::accepted;
    bool granted_ = false;
    std::uint16_t last_id_ = 0;
    TimePoint last_sent_{};
};

}  // namespace iotsky::apps
