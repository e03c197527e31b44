#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/mqtt/framer.hpp"
#include "broker/mqtt/packet.hpp"

namespace iotsky::simulation {

/// The two byte streams of one connection, and who hung up.
struct Wire {
    std::deque<std::byte> to_broker;
    std::deque<std::byte> to_client;
    bool client_closed = false;
    bool broker_closed = false;
    bool takes_nothing = false;  ///< the client's window is shut
    bool blocked = false;        ///< bytes met it
};

struct ClientOptions {
    std::string id{};
    std::string user{};  ///< scope of the session; empty: anonymous
    bool clean_session = false;
    std::vector<std::pair<std::string, std::uint8_t>> subscriptions{};
    std::string publish_topic{};  ///< empty: publishes nothing
    std::uint8_t publish_qos = 1;
    bool publish_retain = false;
    unsigned messages = 0;
    unsigned window = 2;
    unsigned packet_ids = 3;  ///< few, so that they are used again at once
    std::optional<std::string> will_topic{};
    std::uint16_t keep_alive_s = 0;
    std::size_t payload_bytes = 0;  ///< a shorter payload is filled up
    std::string listener = "sim";   ///< by which it comes, also when it comes back by itself
};

/// An MQTT client that keeps its session state over reconnects, as the standard asks of it, and
/// notes what it saw.
class Client {
  public:
    explicit Client(ClientOptions options) : options_(std::move(options)) {}

    [[nodiscard]] const ClientOptions& options() const { return options_; }
    [[nodiscard]] bool connected() const { return wire_ != nullptr; }
    [[nodiscard]] std::shared_ptr<Wire> connect();
    /// The connection is gone (network, broker, crash).
    void lose_connection();
    void disconnect_cleanly();
    /// Reads what came and does what there is to do; false when there was nothing.
    bool step();
    [[nodiscard]] bool finished() const;
    /// From now on that many messages in all.
    void set_messages(unsigned messages) { options_.messages = messages; }

    struct Delivery {
        std::string topic;
        std::string payload;
        std::uint8_t qos = 0;
        bool retain = false;
        bool dup = false;
    };
    std::vector<Delivery> deliveries;  ///< in order; QoS 2 ones once per identifier
    std::set<unsigned> acknowledged;   ///< own messages whose PUBACK or PUBCOMP came
    std::vector<std::uint8_t> suback_codes;
    std::optional<std::uint8_t> connack;
    bool session_present = false;
    bool subscribed = false;  ///< SUBACK came at least once
    unsigned connects = 0;

    void publish(std::string topic, std::string payload, std::uint8_t qos, bool retain);
    void subscribe();
    [[nodiscard]] const std::shared_ptr<Wire>& wire() const { return wire_; }
    /// Raw bytes, for what a well-behaved client would not send.
    void send_raw(std::span<const std::byte> bytes);

  private:
    struct InFlight {
        unsigned message = 0;
        std::string topic;
        std::string payload;
        std::uint8_t qos = 0;
        bool retain = false;
        bool released = false;
        unsigned order = 0;
    };
    void on_packet(const mqtt::PacketView& packet);
    void on_publish(const mqtt::PublishView& p);
    void on_connack(const mqtt::ConnackView& p);
    void send_publish(std::uint16_t id, const InFlight& message, bool dup);
    void publish_next();
    [[nodiscard]] std::uint16_t free_id() const;

    ClientOptions options_;
    std::shared_ptr<Wire> wire_;
    mqtt::Framer framer_{1U << 20U};
    bool open_ = false;
    bool may_publish_ = false;
    unsigned next_message_ = 0;
    unsigned next_order_ = 0;
    std::map<std::uint16_t, InFlight> in_flight_;
    std::set<std::uint16_t> received_;  // QoS 2 identifiers not yet released
};

}  // namespace iotsky::simulation
