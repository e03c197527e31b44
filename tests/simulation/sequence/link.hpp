#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/mqtt/framer.hpp"
#include "broker/mqtt/packet.hpp"
#include "tests/simulation/client.hpp"
#include "tests/simulation/sequence/source.hpp"
#include "tests/simulation/tables.hpp"

namespace iotsky::simulation {

/// One connection: what its client has said, and what must be true of what it hears.
class Link {
  public:
    /// `durable`: what this client is promised is on disk before it hears of it.
    Link(std::shared_ptr<Wire> wire, bool durable) : wire_(std::move(wire)), durable_(durable) {}

    [[nodiscard]] Wire& wire() { return *wire_; }
    /// Bytes that are no whole packets: what the client has asked for is unknown from now on.
    void send_anything(const std::vector<std::byte>& bytes) {
        exact_ = false;
        put(bytes);
    }
    void send(Source& in);
    /// Reads what came; empty, or what is wrong with it.
    std::string listen(const Tables& disk);

  private:
    void put(const std::vector<std::byte>& bytes) {
        wire_->to_broker.insert(wire_->to_broker.end(), bytes.begin(), bytes.end());
    }
    void connect(Source& in, std::vector<std::byte>& out);
    void subscribe(Source& in, std::vector<std::byte>& out);
    void publish(Source& in, std::vector<std::byte>& out);
    void answer(Source& in, std::vector<std::byte>& out, mqtt::PacketType type);
    std::string on_packet(const mqtt::PacketView& packet, const Tables& disk);
    std::string on_publish(const mqtt::PublishView& p, const Tables& disk);
    std::string on_answer(mqtt::PacketType type, std::uint16_t id, const Tables& disk);
    /// Whether the disk must know what this connection is told.
    [[nodiscard]] bool promised() const { return exact_ && persistent_ && durable_; }

    struct Sent {
        std::string topic;
        std::vector<std::byte> payload;
    };
    std::shared_ptr<Wire> wire_;
    bool durable_;
    mqtt::Framer framer_{mqtt::kRemainingLengthMax};
    bool exact_ = true;  ///< whole packets alone, CONNECT first and once, no DISCONNECT
    bool asked_ = false;
    bool open_ = false;
    bool persistent_ = false;
    bool level_31_ = false;  ///< what is refused has a positive answer
    std::string scope_;
    std::string client_id_;
    std::uint16_t next_subscribe_id_ = 100;
    std::uint16_t last_id_ = 1;  ///< that the broker gave
    std::map<mqtt::PacketType, std::deque<std::uint16_t>> questions_;
    std::map<std::uint16_t, std::string> filters_;  ///< of SUBSCRIBEs that are not answered
    std::set<std::string> once_;                    ///< filters that were asked for once
    std::set<std::string> more_;
    std::map<std::uint16_t, Sent> on_its_way_;  ///< to the client, not answered with the last word
    std::set<std::uint16_t> received_;          ///< PUBREC went out
    std::set<std::uint16_t> answered_;          ///< answered in any way, also before they came
};

}  // namespace iotsky::simulation
