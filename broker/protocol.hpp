#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "broker/connection.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/router.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// The state machine of a Network Connection: which packet is allowed when, and what it does. Bytes
/// in, verdicts out; deadlines by the wheel. Confined to the thread.
class Protocol {
  public:
    explicit Protocol(Shard::Impl& shard) noexcept : s_(shard) {}

    [[nodiscard]] Shard::After on_bytes(ConnRef ref, std::span<const std::byte> bytes);
    /// Goes on with bytes that the turn before left over.
    void read_on();
    /// The connection's left-over bytes are looked at in the next turn: it has had its share of
    /// this one, or its pause has ended.
    void go_on(Connection& connection);
    [[nodiscard]] bool has_work() const noexcept { return !unread_.empty(); }
    /// Its PUBLISH was taken: notes the identifier and acknowledges.
    void on_accepted(Connection& connection, const mqtt::PublishView& packet,
                     const Published& published);
    /// One of the connection's deadlines may be due: looks at all of them.
    void on_timer(Connection& connection);

    /// Makes the wheel look at the connection at `at` at the latest.
    void watch(Connection& connection, TimePoint at);
    /// Starts Keep Alive and the end of the identity's rights.
    void watch_connected(Connection& connection);

  private:
    [[nodiscard]] Shard::After read(ConnRef ref, std::span<const std::byte> bytes);
    [[nodiscard]] Shard::After read_packets(ConnRef ref, std::span<const std::byte> bytes);
    /// Leaves the rest of the bytes for a later turn, if this connection has had its share.
    [[nodiscard]] bool leave(Connection& c, std::size_t packets, std::span<const std::byte> bytes);
    [[nodiscard]] Verdict on_packet(Connection& c, const mqtt::PacketView& packet);
    [[nodiscard]] Verdict on_publish(Connection& c, const mqtt::PublishView& packet);
    /// `fits`: it answers what was sent under its identifier, or comes once too often.
    [[nodiscard]] Verdict acknowledged(Connection& c, bool fits);
    [[nodiscard]] Verdict on_pubrel(Connection& c, std::uint16_t packet_id);
    [[nodiscard]] Verdict on_denied_publish(Connection& c, const mqtt::PublishView& packet,
                                            const TopicRights& rights);
    /// Refused and told: acknowledged all the same, or closed, as the class has it (`decisions.md`
    /// 8).
    [[nodiscard]] Verdict on_refused_publish(Connection& c, const mqtt::PublishView& packet);
    void acknowledge(Connection& c, const mqtt::PublishView& packet, TurnNo turn,
                     std::uint32_t call = 0);
    [[nodiscard]] Verdict on_repeated_publish(Connection& c, const mqtt::PublishView& packet);
    void protocol_error(Connection& c, mqtt::DecodeError error);
    void out_of_order(Connection& c, std::string_view why, std::string_view clause);
    [[nodiscard]] CloseReason due(const Connection& c, TimePoint now) const;
    [[nodiscard]] TimePoint next_deadline(const Connection& c) const;

    Shard::Impl& s_;
    std::vector<ConnRef> unread_;  ///< connections with bytes left over
};

}  // namespace iotsky::broker
