#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/connection.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// SUBSCRIBE, UNSUBSCRIBE and the replay of retained messages. Confined to the home thread.
class Subscriptions {
  public:
    explicit Subscriptions(Shard::Impl& shard) noexcept : s_(shard) {}

    [[nodiscard]] Verdict on_subscribe(Connection& connection, const mqtt::SubscribeView& packet);
    [[nodiscard]] Verdict on_unsubscribe(Connection& connection,
                                         const mqtt::UnsubscribeView& packet);

    /// Goes on with replays while the out-buffer has room; true when something is left for later.
    [[nodiscard]] bool replay_slice(Session& session);
    /// Takes all of a session's subscriptions out of the index.
    void remove_all(Session& session);
    /// Recovery and resume: puts a subscription into the index without replay.
    void restore(Session& session, std::string_view filter, std::uint8_t qos);
    /// New rights: masks what may not be subscribed any more, unmasks what may again, renews the
    /// index entries.
    void apply_rights(Session& session);

  private:
    [[nodiscard]] std::uint8_t subscribe_one(Session& session, std::string_view filter,
                                             std::uint8_t qos, TurnNo& turn);
    [[nodiscard]] bool expand(const Session& session, std::string_view filter,
                              Subscription& subscription) const;
    [[nodiscard]] bool allowed(const Session& session, const Subscription& subscription) const;
    void insert(Session& session, const Subscription& subscription);
    /// Whether a subscription of the session stands under this canonical filter.
    [[nodiscard]] static bool holds(const Session& session, std::string_view canonical, Form form);
    void begin_replay(Session& session, Subscription& subscription);
    void send_retained(Session& session, const Replay& replay, const Retained& retained);
    void ask_services(Session& session, const Subscription& subscription);

    Shard::Impl& s_;
    std::vector<RetainedPtr> found_;
};

}  // namespace iotsky::broker
