#pragma once

#include <cstdint>

#include "broker/message.hpp"
#include "broker/records.hpp"
#include "broker/route_cache.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// A message for one session: whether it may have it, whether its queue has room, and where it
/// waits - in the out-buffer, in memory (Outbox) or on disk (DiskQueue). Confined to the home
/// thread.
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
    /// R4, last stage: a slice of what the session that holds most has waiting leaves memory.
    void shed_largest();

  private:
    [[nodiscard]] bool already_replayed(const Session& session, const MessageView& message,
                                        Form form, std::uint8_t& qos) const;
    void deliver_qos0(Session& session, const MessageView& message, Form form);
    void enqueue(Session& session, const MessageView& message, std::uint8_t qos, Form form);
    [[nodiscard]] bool make_room(Session& session, const MessageView& message, Form form,
                                 std::size_t cost);
    [[nodiscard]] Quota drop_oldest(Session& session, std::size_t cost, Quota quota);
    void not_taken(Session& session, const MessageView& message, Form form, DoneWhy why);

    Shard::Impl& s_;
    TurnNo arrival_turn_ = 0;
};

}  // namespace iotsky::broker
