#include "tests/support/state_dump.hpp"

#include "base/bytes.hpp"

namespace iotsky::test {
bool StateDump::on_session(const broker::StoredSession& session) {
    sids_.push_back(session.sid);
    session_ = &sessions_[session.sid];
    *session_ =
        "session " + std::to_string(session.sid) + " " + std::string{session.scope} + "/" +
        std::string{session.client_id} + " epoch " + std::to_string(session.epoch) + " queue " +
        std::to_string(session.queue.messages) + " of " + std::to_string(session.queue.bytes) +
        (session.away_since_s ? " away since " + std::to_string(*session.away_since_s) : "") + "\n";
    return true;
}

broker::QueueRead whole_queue(broker::Sid sid) {
    broker::QueueRead read;
    read.sid = sid;
    read.in_flight = true;
    read.ranges = {{broker::MidRange::kEarlierRuns, 1, broker::Mid{1} << 60U}};
    read.messages_max = SIZE_MAX;
    read.bytes_max = SIZE_MAX;
    return read;
}

void StateDump::on_queue(broker::Sid sid, const broker::QueuePage& page) {
    session_ = &sessions_.at(sid);
    for (const auto& messages : {page.in_flight, page.queued}) {
        for (const broker::StoredMessage& message : messages) {
            on_message(message);
        }
    }
}

void StateDump::on_subscription(std::string_view filter, std::uint8_t qos) {
    *session_ += "  subscribes " + std::string{filter} + " " + std::to_string(qos) + "\n";
}

void StateDump::on_message(const broker::StoredMessage& message) {
    using State = broker::StoredMessage::State;
    std::string line = "  message " + std::to_string(message.mid) + " form " +
                       std::to_string(static_cast<int>(message.form)) + " qos " +
                       std::to_string(message.qos);
    if (message.state != State::queued) {
        line += message.state == State::sent ? " sent" : " received";
        line += " as " + std::to_string(message.packet_id) + " at " + std::to_string(message.order);
    }
    if (message.state != State::received) {
        line += (message.retain ? " retained " : " ") + message.topic + "=" + message.payload;
    }
    *session_ += line + "\n";
}

void StateDump::on_inbound(std::uint16_t packet_id) {
    *session_ += "  holds " + std::to_string(packet_id) + "\n";
}

void StateDump::on_will(std::string_view topic, std::span<const std::byte> payload,
                        std::uint8_t qos, bool retain) {
    *session_ += "  will " + std::string{topic} + "=" + std::string{as_text(payload)} + " qos " +
                 std::to_string(qos) + (retain ? " retained\n" : "\n");
}

void StateDump::on_retained(const broker::StoredRetained& retained) {
    if (!retained.payload.empty()) {  // else a tombstone
        retained_.insert("retained " + std::string{retained.topic} + "=" +
                         std::string{as_text(retained.payload)} + " qos " +
                         std::to_string(retained.qos) + " rev " + std::to_string(retained.rev) +
                         "\n");
    }
}

std::string StateDump::text() const {
    std::string all;
    for (const auto& [sid, lines] : sessions_) {
        all += lines;
    }
    for (const std::string& line : retained_) {
        all += line;
    }
    return all;
}

}  // namespace iotsky::test
