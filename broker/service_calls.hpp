#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "broker/ids.hpp"
#include "broker/service.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// Messages that services have not answered yet (`decisions.md` 20). The acknowledgement of such a
/// PUBLISH stands in its connection's gate and names the call; what comes behind waits with it, no
/// thread does. Confined to the thread of the publisher.
class ServiceCalls {
  public:
    explicit ServiceCalls(Shard::Impl& shard) noexcept : s_(shard) {}

    /// One more answer that is owed; `call` 0 begins a call and sets its number.
    [[nodiscard]] ServiceTicket open(std::uint32_t& call);
    /// The PUBLISH behind a call. The identifier of a QoS 2 message is not recorded yet: a message
    /// whose call is lost in a crash counts as not received.
    struct Publish {
        std::uint16_t packet_id = 0;
        std::uint8_t qos = 0;
        TurnNo turn = 0;
        std::string_view topic;
    };
    /// Counts the call towards the session's limit, and pauses its client at it. The
    /// acknowledgement, if there is one, waits for the call and for `publish.turn`.
    void bind(std::uint32_t call, Session& session, const Publish& publish);
    /// The call that a QoS 2 message with this identifier waits for; 0 if none.
    [[nodiscard]] std::uint32_t find(const Session& session, std::uint16_t packet_id) const;

    /// A service answers. After the time limit its replies are still sent.
    void finish(std::uint32_t call, const ServiceReplies& replies);
    /// A service does not answer.
    void give_up(std::uint32_t call);
    void on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next() const;

  private:
    struct Call {
        unsigned owed = 0;
        SessionRef session;  ///< none for the broker's own messages
        std::uint16_t packet_id = 0;
        std::uint8_t qos = 0;
        TurnNo turn = 0;
        std::string topic;
    };
    struct Deadline {
        TimePoint at;
        std::uint32_t call = 0;
    };
    [[nodiscard]] Session* release(const Call& call);

    Shard::Impl& s_;
    std::unordered_map<std::uint32_t, Call> calls_;
    std::deque<Deadline> deadlines_;
    std::uint32_t last_ = 0;
};

}  // namespace iotsky::broker
