#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "broker/connection.hpp"
#include "broker/message.hpp"
#include "broker/mqtt/encode.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// Puts packets into a connection's out-buffer, or into its gate when they promise something that
/// is not durable yet; opens gates; writes out-buffers to transports. The only part that touches
/// either. Confined to the thread.
class Sender {
  public:
    explicit Sender(Shard::Impl& shard) noexcept : s_(shard) {}

    /// An answer of at most 4 bytes that may leave when `turn` is durable (0: at once, but never
    /// before those in front of it) and the service behind `call` has answered (0: none).
    void answer(Connection& c, std::span<const std::byte> packet, TurnNo turn,
                std::uint32_t call = 0);
    /// The service has answered: what waits for it now only waits for `turn`.
    void answered(Connection& c, std::uint32_t call, TurnNo turn);
    void connack_accepted(Connection& c, bool session_present, TurnNo turn);
    /// CONNACK with a refusal; the connection ends behind it [MQTT-3.2.2-5].
    void connack_refused(Connection& c, mqtt::ConnectCode code);
    /// Waits for CONNACK alone: a disk that is slow or full is no reason to look dead.
    void pingresp(Connection& c);
    /// SUBACK.
    void answer_large(Connection& c, std::vector<std::byte> packet, TurnNo turn);

    /// A PUBLISH that needs no gate. One encoding serves all targets of a message that ask for the
    /// same class.
    void publish(Connection& c, const MessageView& message, std::uint8_t qos, Form form,
                 std::uint16_t packet_id, bool dup);
    /// A QoS 2 PUBLISH, which leaves when `turn` is durable.
    void publish_gated(Connection& c, MsgRef message, Form form, std::uint16_t packet_id, bool dup,
                       TurnNo turn);
    /// A new message begins: encodings of the one before are void.
    void new_message() noexcept { encoded_class_ = kNoClass; }

    /// Whether PUBLISHes may be taken from the session's queue now (R2: the soft limit).
    [[nodiscard]] bool has_room(const Connection& c) const noexcept;
    /// Whether even QoS 0 has to be dropped.
    [[nodiscard]] bool is_full(const Connection& c) const noexcept;

    /// Left-over bytes were read: the peer may be read again.
    void reading_again(Connection& c);
    /// R5: a thread that this connection's traffic goes to has too much waiting.
    void pause_for_mailbox(Connection& c);
    /// R1: the disk takes less than comes, and this connection's next packet needs it as well.
    void pause_for_log(Connection& c);
    /// Resumes those when the log has room again.
    void resume_after_log();
    /// Resumes those when the mailboxes have room again.
    void resume_after_mailbox();
    /// When to look at the mailboxes and the log again: they wake nobody who waits for room.
    [[nodiscard]] std::optional<TimePoint> next_look() const;
    /// Sets or ends one of the connection's pauses (`paused_for_...`).
    void set_pause(Connection& c, bool Connection::*pause, bool on);
    /// Something is left to write without waiting for the peer.
    [[nodiscard]] bool has_work() const noexcept { return !dirty_.empty(); }

    /// Lets out what became durable, on all connections.
    void open_gates();
    void open_gate(Connection& c);
    /// Whether a gate opens now that did not when only `before` was durable.
    [[nodiscard]] bool opens_after(TurnNo before) const;
    /// The end of a turn: writes every dirty connection.
    void flush();
    void mark_dirty(Connection& c);

  private:
    static constexpr int kNoClass = -1;
    void put(Connection& c, std::span<const std::byte> packet);
    void let_out(Connection& c, GatedPacket& packet);
    void push_gate(Connection& c, GatedPacket packet);
    void encode(const MessageView& message, std::string_view topic, std::uint8_t qos, bool dup);
    void write(Connection& c);
    void update_pauses(Connection& c);
    void apply_pause(Connection& c, bool was_held);
    /// Whether a packet that waits for nothing else may leave now.
    [[nodiscard]] bool opens(const Connection& c, TurnNo turn) const noexcept;

    Shard::Impl& s_;
    std::vector<ConnRef> dirty_;
    std::vector<ConnRef> gated_;
    std::vector<ConnRef> mailbox_paused_;
    std::vector<ConnRef> log_paused_;
    std::vector<std::byte> encoded_;  ///< head of the PUBLISH, and its payload when that is copied
    mqtt::PublishHead head_{};
    int encoded_class_ = kNoClass;
};

}  // namespace iotsky::broker
