#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "broker/message.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/records.hpp"
#include "broker/route_cache.hpp"
#include "broker/service.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// A message that was accepted: it came from a client with the right to publish it, from a will, or
/// from inside.
struct Publication {
    std::string_view topic;  ///< canonical
    std::span<const std::byte> payload;
    std::uint8_t qos = 0;
    bool retain = false;
    Session* publisher = nullptr;  ///< null for the broker's own messages
    std::uint16_t inbound_id = 0;  ///< QoS 2 from a client; 0 otherwise
    std::string_view publisher_name;
    const Session* will_of = nullptr;  ///< whose Will it is: its class's limits hold
    /// Of the publisher's connection: answered once it is known what the answer waits for, before
    /// sessions of this thread get the message, so that a client that hears itself has its answer
    /// first.
    const mqtt::PublishView* packet = nullptr;
};

/// What became of a message.
struct Published {
    TurnNo turn = 0;         ///< an acknowledgement waits for it; 0 when nothing has to be durable
    std::uint32_t call = 0;  ///< a service answers later: the acknowledgement waits for that, too
    bool refused = false;    ///< a receiver's queue is full: nothing was done with the message
    bool paced = false;      ///< a receiver's queue is above half: the acknowledgement may wait
};

/// Takes the decision where a message goes, on the publisher's thread, and writes it down as one
/// record (L4): message, durable references, retained value and inbound identifier. Confined to the
/// thread.
class Router {
  public:
    explicit Router(Shard::Impl& shard);

    [[nodiscard]] Published publish(const Publication& publication);
    /// A message of a service or of the broker itself. Returns the turn in which it is recorded; 0
    /// when nothing of it has to be durable.
    TurnNo publish_internal(const ServiceReply& reply);
    /// Mail of other threads: their messages for sessions here.
    void drain_mailbox();
    /// The thread ends: mail is given back unread.
    void discard_mailbox();
    /// Hands the turn's mail over, after its records were appended.
    void publish_mail(BatchNo batch);
    [[nodiscard]] bool has_mail() const noexcept;
    /// Whether a thread that the last client's message went to has too much waiting (R5).
    [[nodiscard]] bool mailbox_full() const noexcept { return mailbox_full_; }

  private:
    /// Stores a retained value; its revision, or 0 when a limit keeps it out.
    [[nodiscard]] Rev retain(const Publication& publication);
    [[nodiscard]] bool waits_for_disk(const Publication& publication, bool inbound, bool retains,
                                      bool strict_target) const;
    [[nodiscard]] TurnNo write_record(const Publication& publication, const RouteEntry& route,
                                      const MessageView& message, bool inbound_later);
    void distribute(const RouteEntry& route, const MessageView& message, const BlobRef& shared);
    /// The highest pressure of those that the message would be queued for.
    [[nodiscard]] Pressure pressure_on(const Publication& publication);
    /// What the services say at once; `call` is set when one of them answers later.
    [[nodiscard]] ServiceReplies ask_services(const RouteEntry& route,
                                              const Publication& publication, std::uint32_t& call);

    Shard::Impl& s_;
    std::vector<std::vector<std::byte>> outgoing_;  ///< one per thread
    std::vector<PublishTarget> durable_targets_;
    std::vector<Target> local_targets_;
    bool mailbox_full_ = false;
};

}  // namespace iotsky::broker
