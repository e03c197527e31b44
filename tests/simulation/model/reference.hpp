#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/model/puppet.hpp"

namespace iotsky::simulation {

/// A rule of the reference that is switched off, to show that the comparison can fail.
enum class BrokenRule : std::uint8_t {
    none,
    highest_qos,         ///< the lowest of overlapping subscriptions counts
    retain_is_for_new,   ///< a live message keeps RETAIN
    empty_clears,        ///< an empty retained message leaves the one before
    replay,              ///< a new subscription gets no retained message
    dup_of_resent,       ///< sent again without DUP
    released_stays,      ///< PUBLISH again where PUBREC came
    inbound_is_session,  ///< QoS 2 identifiers end with their connection
    will_of_drop,        ///< a connection that breaks publishes no Will
    no_will_of_disconnect,
    clean_forgets,   ///< Clean Session 1 keeps what was stored
    qos0_is_lost,    ///< QoS 0 is kept for a client that is away
    expiry,          ///< a session never ends
    queue_survives,  ///< a crash loses what waits
};
inline constexpr int kBrokenRules = 14;

/// What a broker does, as plainly as it can be said: sessions, subscriptions, queues without a
/// disk, threads or bytes. An operation is something a client did, whole; what every client hears
/// of it is expected until compare().
///
/// Left to the broker: the order of messages of different publishers or topics, Packet Identifiers
/// (never one in use), and when within the operation something arrives.
class Reference {
  public:
    struct Limits {
        unsigned window = 0;  ///< messages of a QoS on their way to one client
        /// Whether the window is always used; else something is on its way while something waits.
        bool uses_window = true;
        unsigned expiry_s = 0;  ///< of a session
    };
    explicit Reference(const Limits& limits, BrokenRule broken = BrokenRule::none)
        : limits_(limits), broken_(broken) {}

    struct Message {
        std::string topic;
        std::string payload;
        std::uint8_t qos = 0;
        bool retain = false;
        std::string from;  ///< messages of one publisher and topic keep their order; "": none
    };

    void connect(const std::string& client, bool clean, std::optional<Message> will);
    void disconnect(const std::string& client);
    /// The connection broke, or the client broke a rule.
    void lose(const std::string& client);
    void subscribe(const std::string& client, const std::string& filter, std::uint8_t qos,
                   std::uint16_t id);
    void unsubscribe(const std::string& client, const std::string& filter, std::uint16_t id);
    void publish(const std::string& client, const Message& message, std::uint16_t id);
    void release(const std::string& client, std::uint16_t id);
    /// An answer to what the client holds.
    void acknowledge(const std::string& client, const Packet& answer);
    void advance(unsigned seconds);
    void crash();

    /// Empty, or how `got` differs from what the client was to hear.
    [[nodiscard]] std::string compare(const std::string& client, const std::vector<Packet>& got);

    [[nodiscard]] bool connected(const std::string& client) const;
    [[nodiscard]] bool persistent(const std::string& client) const;
    [[nodiscard]] bool subscribed(const std::string& client, const std::string& topic) const;
    /// The answers that the client owes, those of QoS 1 first.
    [[nodiscard]] std::vector<Packet> owes(const std::string& client) const;
    /// Whether it is sure who has expired then: a crash forgets how long sessions were away.
    [[nodiscard]] bool can_advance(unsigned seconds) const;

  private:
    struct InFlight {
        Packet packet;
        bool released = false;
    };
    struct Lane {
        std::vector<InFlight> in_flight;
        std::vector<Message> queue;
        std::vector<Packet> heard;  ///< what is sent again, and PUBRELs
    };
    struct Session {
        bool clean = false;
        bool connected = false;
        std::map<std::string, std::uint8_t> subscriptions;
        std::set<std::uint16_t> inbound;
        std::optional<Message> will;
        std::array<Lane, 3> lanes;    ///< by QoS; 1 and 2
        std::vector<Packet> answers;  ///< in order
        std::vector<Packet> qos0;     ///< in any
        unsigned away_s = 0;          ///< since the last crash
        unsigned away_s_max = 0;      ///< in all
    };

    [[nodiscard]] bool broken(BrokenRule rule) const { return broken_ == rule; }
    void leave(const std::string& client, bool with_will);
    void fire_will(const std::string& client);
    void spread(const Message& message);
    void keep(const Message& message);
    void deliver(Session& session, Message message, std::uint8_t qos);
    [[nodiscard]] std::string compare_lane(Session& session, std::uint8_t qos,
                                           const std::vector<Packet>& got) const;
    [[nodiscard]] std::string take_new(Session& session, Lane& lane, const Packet& got) const;

    Limits limits_;
    BrokenRule broken_;
    std::map<std::string, Session> sessions_;
    std::map<std::string, Message> retained_;
};

}  // namespace iotsky::simulation
