#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/mqtt/packet.hpp"
#include "tests/simulation/world.hpp"

namespace iotsky::simulation {

/// What a client sent or was sent, of any type; fields that the type does not have are empty.
struct Packet {
    mqtt::PacketType type{};
    std::uint16_t id = 0;
    std::string topic{};
    std::string payload{};
    std::uint8_t qos = 0;
    bool retain = false;
    bool dup = false;
    bool present = false;   ///< CONNACK
    std::uint8_t code = 0;  ///< CONNACK, and the only one of SUBACK
    /// One line; long payloads are cut.
    [[nodiscard]] std::string text() const;
    friend bool operator==(const Packet&, const Packet&) = default;
};

/// A client that says what it is told, and answers nothing by itself.
class Puppet {
  public:
    Puppet(World& world, std::string name) : world_(world), name_(std::move(name)) {}

    [[nodiscard]] const std::string& name() const { return name_; }
    /// Opens a connection and sends CONNECT on it. The user's name is the client's.
    void connect(bool clean_session, const std::optional<mqtt::WillView>& will);
    void send(const std::vector<std::byte>& bytes);
    /// Ends the connection without a word.
    void drop();
    /// Forgets the connection.
    void leave() { wire_.reset(); }
    /// All that came since.
    [[nodiscard]] std::vector<Packet> take();
    [[nodiscard]] bool connected() const { return wire_ != nullptr && !wire_->broker_closed; }
    [[nodiscard]] const std::shared_ptr<Wire>& wire() const { return wire_; }

  private:
    World& world_;
    std::string name_;
    std::shared_ptr<Wire> wire_;
};

}  // namespace iotsky::simulation
