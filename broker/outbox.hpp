#pragma once

#include <cstddef>
#include <cstdint>

#include "broker/connection.hpp"
#include "broker/message.hpp"
#include "broker/queue_page.hpp"
#include "broker/records.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// QoS 1 and 2 messages that memory holds for a session, in flight and queued: send window, Packet
/// Identifiers, acknowledgements, order, resending (sections 4.3 to 4.6). Confined to the home
/// thread.
class Outbox {
  public:
    explicit Outbox(Shard::Impl& shard) noexcept : s_(shard) {}

    /// A new message begins.
    void new_message() noexcept { copy_ = {}; }
    /// Sends or queues it; at QoS 2 its PUBLISH waits for `turn`.
    void add(Session& session, const MessageView& message, std::uint8_t qos, Form form,
             TurnNo turn);
    /// Puts a message that the disk held back where it was.
    void restore(Session& session, const StoredMessage& message);

    /// False: a message is on its way under this identifier, and this is not the answer to it.
    [[nodiscard]] bool on_puback(Session& session, std::uint16_t packet_id);
    [[nodiscard]] bool on_pubrec(Session& session, std::uint16_t packet_id);
    [[nodiscard]] bool on_pubcomp(Session& session, std::uint16_t packet_id);

    /// CONNACK has left: resend what was in flight [MQTT-4.4.0-1], then the queue.
    void on_open(Connection& connection);
    /// The out-buffer has room again.
    void on_room(Connection& connection);
    /// Takes queued messages while window and out-buffer allow.
    void pump(Session& session);
    /// Rights changed: what waits is evaluated when it is sent.
    void recheck(Session& session);

    /// Drops the oldest message that was not sent, because of `quota`. Returns what it cost; 0:
    /// there is none.
    [[nodiscard]] std::size_t drop_first(Session& session, Quota quota);
    /// Drops a slice of what waited for too long; true: there is more of it.
    [[nodiscard]] bool drop_old(Session& session);
    /// R4, last stage: drops a slice of the newest, for as long as memory is short.
    void shed(Session& session);

  private:
    [[nodiscard]] bool goes_at_once(const Session& session, const Lane& lane) const;
    void pump(Session& session, Lane& lane);
    void begin(Session& session, Lane& lane, OutEntry& entry);
    void send(Session& session, Lane& lane, OutEntry& entry);
    void publish(Connection& connection, const OutEntry& entry, bool dup);
    void resend(Connection& connection, OutEntry& entry);
    void drop_queued(Session& session, Lane& lane, std::size_t index, DoneWhy why,
                     Quota quota = Quota::none);
    [[nodiscard]] bool may_send(Session& session, const OutEntry& entry) const;
    [[nodiscard]] bool acknowledge(Session& session, Lane& lane, OutEntry& entry);
    void finish(Session& session, Lane& lane, OutEntry& entry);
    static void compact(Lane& lane);
    [[nodiscard]] std::uint16_t take_packet_id(Session& session) const;
    [[nodiscard]] static OutEntry* find(Lane& lane, std::uint16_t packet_id);

    Shard::Impl& s_;
    MsgRef copy_;  ///< of the current message, made for the first session that has to keep it
};

}  // namespace iotsky::broker
