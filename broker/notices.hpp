#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "acl/action.hpp"
#include "base/siphash.hpp"
#include "broker/identity.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// Refusals are told: to the device on `$me/notice` (QoS 0, not retained), to the log and to the
/// refusal history. At most one per 2 s and 20 per minute and identity; equal ones are counted
/// meanwhile. Confined to the thread.
class Notices {
  public:
    explicit Notices(Shard::Impl& shard) noexcept : s_(shard) {}

    /// A policy refused `action` on `topic` (as the client wrote it; `canonical` was evaluated).
    /// `what` overrides the action's word ("will").
    void denied(const Session& session, acl::Action action, std::string_view topic,
                std::string_view canonical, std::string_view what = {});
    /// A SUBSCRIBE refused for another reason than rights.
    void refused_subscribe(const Session& session, std::string_view filter, std::string_view why);
    void too_many_levels(const Session& session, std::string_view what, std::string_view topic);
    /// A message for the session was dropped; `quota`: whose.
    void queue_full(const Session& session, std::string_view topic, Quota quota);
    /// A message for the session waited for too long and was dropped.
    void waited_too_long(const Session& session, std::string_view topic);
    /// More than the class allows: the client is read more slowly.
    void publishes_too_fast(const Session& session);
    void subscribes_too_fast(const Session& session);
    void payload_too_large(const Session& session, std::string_view what, std::string_view topic,
                           std::size_t bytes);
    /// The thing has as many retained messages as its class allows.
    void thing_retains_enough(const Session& session, std::string_view topic);
    /// A receiver's queue is full and the message was refused (`queue_full = "refuse"`).
    void receiver_full(const Session& publisher, std::string_view topic);
    /// A service did not answer in time.
    void service_silent(const Session& publisher, std::string_view topic);
    /// `publisher` may be null (the broker's own messages).
    void retained_full(const Session* publisher, std::string_view topic);

    /// Another board with the same identity and Client Identifier wants to take over from `holder`.
    void clone_refused(const Session& holder, std::string_view address);

    /// Tells what was held back and is due.
    void on_time(TimePoint now);
    [[nodiscard]] std::optional<TimePoint> next() const;

  private:
    struct Waiting {
        Refusal refusal;           ///< with the count for the notice
        std::uint32_t untold = 0;  ///< of those, what log and history do not know yet
    };
    struct Teller {
        std::deque<TimePoint> told;    ///< in the last minute
        std::vector<Waiting> waiting;  ///< distinct ones
        std::string notice_topic;      ///< empty without a thing
    };
    /// What is said of a refusal, beside whom and what topic it concerns.
    struct Words {
        std::string number;
        std::string rule;
        std::string why;
        std::string how;
    };
    enum class When : std::uint8_t {
        now,
        later,  ///< not before this turn's timers: the caller is in the middle of a delivery
    };
    [[nodiscard]] Refusal refusal_of(const Session& session, std::string_view what,
                                     std::string_view topic, Words words) const;
    void tell(const Session& session, std::string_view what, std::string_view topic, Words words,
              When when = When::now);
    void notify(const Teller& teller, const Refusal& refusal);
    [[nodiscard]] static bool may_tell(Teller& teller, TimePoint now);

    Shard::Impl& s_;
    std::unordered_map<std::string, Teller, KeyedHash, std::equal_to<>>
        tellers_;  ///< by identity name
    std::optional<TimePoint> due_;
};

/// The JSON of a notice: code, what, topic, why, try, count, time.
[[nodiscard]] std::string notice_json(const Refusal& refusal);

}  // namespace iotsky::broker
