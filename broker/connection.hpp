#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "broker/gate.hpp"
#include "broker/ids.hpp"
#include "broker/mqtt/framer.hpp"
#include "broker/out_buffer.hpp"
#include "broker/rate_bucket.hpp"
#include "broker/topic_rights.hpp"
#include "broker/transport.hpp"

namespace iotsky::broker {

struct ListenerState;
struct Session;

/// Whether the reader goes on with this connection.
struct Verdict {
    CloseReason close = CloseReason::none;
    [[nodiscard]] bool go_on() const noexcept { return close == CloseReason::none; }
};

/// One Network Connection on the thread that holds it: what is specific to the wire, nothing that
/// outlives it. Confined to its thread.
struct Connection {
    enum class State : std::uint8_t {
        waiting_for_connect,
        connected,  ///< CONNECT was accepted; see `open` for whether CONNACK has left
        closing,    ///< nothing is read any more; what is in `out` and in `gate` still goes
        adopted,    ///< its transport moved away
    };

    Connection(std::unique_ptr<Transport> t, ChunkPool& pool, ListenerState& by,
               std::uint32_t packet_bytes_max, TimePoint accepted)
        : transport(std::move(t)),
          listener(by),
          out(pool),
          framer(packet_bytes_max),
          accepted_at(accepted),
          last_packet_at(accepted) {}

    ConnRef ref;
    std::unique_ptr<Transport> transport;
    ListenerState& listener;
    OutBuffer out;
    mqtt::Framer framer;
    Gate gate;
    TopicRightsCache topics;
    Session* session = nullptr;
    State state = State::waiting_for_connect;
    CloseReason close_reason = CloseReason::none;

    bool open = false;   ///< CONNACK 0 has left the gate: PUBLISHes may be sent [MQTT-3.2.0-1]
    bool dirty = false;  ///< on the list of the next flush
    bool in_gated_list = false;
    bool in_unread_list = false;
    /// Bytes of packets other than PUBLISH put into `out` since it was empty last: as many as wait
    /// there when the peer takes nothing, else an upper bound.
    std::size_t answer_bytes_out = 0;
    bool paused_for_output =
        false;  ///< R2: acknowledgements fill their reserve, the peer must take bytes first
    bool paused_for_disk = false;  ///< R1: records or own gated acknowledgements wait for the disk
    bool paused_for_log = false;   ///< R1: it fills the log and waits for no answer itself
    bool paused_for_mailbox = false;  ///< R5: another thread's mailbox is full of our traffic
    bool paused_for_rate = false;     ///< R1: it is faster than its rate; `rate_until` ends it
    bool paused_for_service = false;  ///< R1: services owe it too many answers; time ends it

    std::vector<std::byte> unread;  ///< left over by the packet limit of a turn, or by a pause

    std::uint8_t level = mqtt::kLevel311;  ///< Protocol Level of its CONNECT
    std::uint16_t keep_alive_s = 0;
    TimePoint accepted_at;
    TimePoint last_packet_at;   ///< last complete packet from the client (Keep Alive)
    TimePoint partial_since{};  ///< first byte of the packet that is not complete
    TimePoint blocked_since{};  ///< bytes wait in `out` and the peer has taken none since
    TimePoint paused_since{};   ///< while we do not read, Keep Alive stands still (R6)
    TimePoint timer_at{};       ///< the wheel looks at it then at the latest
    WallTime connected_at{};

    std::uint64_t packets_in = 0;
    std::uint64_t publishes_in = 0;
    std::uint64_t publishes_out = 0;

    // Limits of its class (broker/throttle.hpp); without a class nothing is ever reached.
    std::uint64_t publishes_stop = UINT64_MAX;  ///< the rate is asked when `publishes_in` is there
    std::uint64_t publishes_paid = 0;  ///< of `publishes_in`, those that the rate has counted
    std::size_t payload_bytes_max = SIZE_MAX;
    RateBucket subscription_changes;
    TimePoint rate_until{};     ///< end of `paused_for_rate`
    TimePoint gate_opens_at{};  ///< pacing: nothing leaves the gate before (R3)

    /// Whether something but its own left-over bytes forbids to read it.
    [[nodiscard]] bool held() const noexcept {
        return paused_for_output || paused_for_disk || paused_for_log || paused_for_mailbox ||
               stopped();
    }
    [[nodiscard]] bool reading_paused() const noexcept {
        return held() || !unread.empty() || state == State::closing;
    }
    /// Whether the peer has still to be given something.
    [[nodiscard]] bool owes_bytes() const noexcept { return !out.empty() || !gate.empty(); }
    /// Whether not even bytes that were read already are looked at.
    [[nodiscard]] bool stopped() const noexcept { return paused_for_rate || paused_for_service; }
};

}  // namespace iotsky::broker
