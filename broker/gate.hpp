#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "broker/ids.hpp"
#include "broker/message.hpp"
#include "broker/ring.hpp"

namespace iotsky::broker {

/// What stands in a gate: an encoded small packet, or a QoS 2 PUBLISH that is encoded when it
/// leaves.
struct GatedPacket {
    TurnNo turn = 0;  ///< leaves when this turn is durable; 0: only behind those in front of it
    MsgRef publish;   ///< set: a PUBLISH of this message
    std::unique_ptr<std::vector<std::byte>>
        large;               ///< a packet that does not fit in `bytes` (SUBACK)
    std::uint32_t call = 0;  ///< an acknowledgement that a service's answer has to come before
    std::array<std::byte, 4> bytes{};
    std::uint16_t packet_id = 0;  ///< of a PUBLISH
    std::uint8_t length = 0;      ///< of `bytes`
    Form form = Form::plain;
    bool dup = false;
    bool connack = false;     ///< its leaving opens the connection for deliveries [MQTT-3.2.0-1]
    bool then_close = false;  ///< a refusal: the connection ends behind it
};

/// Packets of one connection that promise something durable, in order (`dataplane.md` 2.2). A
/// packet that needs no commit but follows one that does stands behind it, so answers never
/// overtake [MQTT-4.6.0-2], [MQTT-4.6.0-3], [MQTT-4.6.0-4].
class Gate {
  public:
    [[nodiscard]] bool empty() const noexcept { return packets_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return packets_.size(); }
    void push(GatedPacket packet) { packets_.push_back(std::move(packet)); }
    /// The first packet, if it may leave now; else null.
    [[nodiscard]] GatedPacket* first_open(TurnNo durable) noexcept {
        return !packets_.empty() && packets_.front().call == 0 && packets_.front().turn <= durable
                   ? &packets_.front()
                   : nullptr;
    }
    [[nodiscard]] bool waits_for(std::uint32_t call) const noexcept {
        for (std::size_t i = 0; i < packets_.size(); ++i) {
            if (packets_[i].call == call) {
                return true;
            }
        }
        return false;
    }
    /// The service has answered: now only `turn` has to be durable, also for the acknowledgements
    /// of repetitions.
    void answered(std::uint32_t call, TurnNo turn) noexcept {
        for (std::size_t i = 0; i < packets_.size(); ++i) {
            GatedPacket& packet = packets_[i];
            if (packet.call == call) {
                packet.call = 0;
                packet.turn = turn > packet.turn ? turn : packet.turn;
            }
        }
    }
    /// The client left in order: its session's PUBLISHes stay behind, what answers it still goes.
    /// CONNACK begins nothing any more.
    void keep_answers() noexcept {
        for (std::size_t i = packets_.size(); i > 0; --i) {
            if (packets_[i - 1].publish) {
                packets_.erase(i - 1);
            } else {
                packets_[i - 1].connack = false;
            }
        }
    }
    void pop() noexcept { packets_.pop_front(); }
    void clear() noexcept { packets_.clear(); }

  private:
    Ring<GatedPacket> packets_;
};

}  // namespace iotsky::broker
