#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "broker/connection.hpp"
#include "broker/message.hpp"
#include "broker/records.hpp"
#include "broker/route_cache.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// Messages towards one session: quotas, windows, identifiers, order, resending. Confined to the
/// home thread.
class Delivery {
  public:
    explicit Delivery(Shard::Impl& shard) noexcept : s_(shard) {}

    /// A new message begins; `turn` is what a QoS 2 delivery to a session that is not persistent
    /// waits for.
    void new_message(TurnNo turn);
    /// The message for one target of this thread.
    void deliver(const MessageView& message, const Target& target);
    /// The same for a session at hand (replays, service answers).
    void deliver(Session& session, const MessageView& message, std::uint8_t qos, Form form);

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
    /// Puts a message that the disk held back where it was.
    void restore(Session& session, const StoredMessage& message);
    /// Drops a queued message that the disk holds: `why` is quota or expired.
    void drop_stored(Session& session, const StoredMessage& message, DoneWhy why);
    /// Drops what memory holds of the queue and waited for too long.
    void drop_old(Session& session);
    /// The session's queue, in memory or on disk, has one message of `cost` bytes more.
    void count_in(Session& session, std::size_t cost);
    /// Rights changed: what waits is evaluated when it is sent.
    void recheck_queue(Session& session);
    /// R4, last stage: a slice of what the session that holds most has waiting is dropped, counted
    /// and told.
    void shed_largest();
    /// Its identity is another one now: its bytes count for that one's project.
    void join_project(Session& session);
    /// A queue of an earlier run.
    void count_in_stored(Session& session, const QueueSize& size);
    /// Sessions that were full because of others, about once a second.
    void look_at_shared_quotas(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next_look() const noexcept;
    /// Whether a queued message of `cost` bytes more is beyond a quota, and whose.
    [[nodiscard]] Quota exceeded(const Session& session, std::size_t cost) const noexcept;
    /// Tells publishers how full the queue is, if that has changed for them.
    void note_pressure(Session& session);
    /// The session ends: everything it holds is dropped.
    void drop_all(Session& session);

  private:
    [[nodiscard]] bool may_receive(Session& session, std::string_view topic) const;
    [[nodiscard]] bool already_replayed(const Session& session, const MessageView& message,
                                        Form form, std::uint8_t& qos) const;
    void deliver_qos0(Session& session, const MessageView& message, Form form);
    void enqueue(Session& session, const MessageView& message, std::uint8_t qos, Form form);
    [[nodiscard]] bool make_room(Session& session, const MessageView& message, Form form);
    void pump(Session& session, Lane& lane);
    void send(Session& session, Lane& lane, OutEntry& entry);
    void resend(Session& session, OutEntry& entry);
    void drop_queued(Session& session, Lane& lane, std::size_t index, DoneWhy why);
    void tell_dropped(Session& session, std::string_view topic, DoneWhy why);
    void finish(Session& session, Lane& lane, OutEntry& entry);
    void count_out(Session& session, std::size_t cost);
    void add_bytes(Session& session, std::size_t bytes);
    void sub_bytes(Session& session, std::size_t bytes);
    [[nodiscard]] bool shared_quotas_reach(const Session& session, std::size_t quarters) const;
    void release_bytes(Session& session, OutEntry& entry);
    void compact(Lane& lane);
    [[nodiscard]] std::uint16_t take_packet_id(Session& session) const;
    [[nodiscard]] static OutEntry* find(Lane& lane, std::uint16_t packet_id);

    Shard::Impl& s_;
    MsgRef copy_;  ///< the queued copy of the current message, made for the first session that
                   ///< needs it
    TurnNo arrival_turn_ = 0;
    std::vector<SessionRef> look_again_;  ///< of sessions that are full because of others
    TimePoint next_look_{};
};

}  // namespace iotsky::broker
