#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "broker/records.hpp"

namespace iotsky::test {

/// A history of sessions, subscriptions and messages as a broker could write it: every record that
/// depends on another lies behind it; two threads' retained values may lie the wrong way round.
/// The seed decides it.
class RandomRecords {
  public:
    /// Without `late_values` no retained value comes behind a newer one: where the process dies
    /// between two turns, a thread that had not appended it yet dies with it.
    explicit RandomRecords(std::uint64_t seed, bool late_values = true)
        : random_(seed), late_values_(late_values) {}
    /// The records of the next turn of some thread: 1 to 12 steps.
    [[nodiscard]] broker::RecordChunk next();

  private:
    struct Row {
        broker::Mid mid = 0;
        broker::Form form = broker::Form::plain;
        std::uint8_t qos = 1;
        broker::StoredMessage::State state = broker::StoredMessage::State::queued;
        std::uint16_t packet_id = 0;
    };
    struct Session {
        std::string client_id;
        std::vector<Row> rows;
        std::vector<std::uint16_t> inbound;
        std::uint64_t order = 0;
        std::uint16_t packet_id = 0;
    };
    void step();
    void open();
    void end(broker::Sid sid);
    void publish(broker::Sid publisher);
    void go_on(Session& session, broker::Sid sid);
    void change(Session& session, broker::Sid sid);
    [[nodiscard]] broker::Sid any_session();
    [[nodiscard]] std::string topic();

    SeededRandom random_;
    bool late_values_;
    broker::RecordWriter out_;
    std::map<broker::Sid, Session> sessions_;
    std::vector<broker::Sid> dead_;  // a publisher may still have them in its route
    broker::Sid next_sid_ = 1;
    broker::Mid next_mid_ = 256;
    broker::Rev next_rev_ = 1;
    std::uint64_t uptime_s_ = 0;
    broker::Rev held_rev_ = 0;  // drawn by a thread whose turn ends later
    std::string held_topic_;
};

}  // namespace iotsky::test
