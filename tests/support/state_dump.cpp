#include "tests/support/state_dump.hpp"

#include "base/bytes.hpp"

namespace iotsky::test {
namespace {

std::string padded(std::uint64_t number) {
    std::string text = std::to_string(number);
    return std::string(20 - text.size(), '0') + text;
}

}  // namespace

bool StateDump::on_session(broker::Sid sid, std::string_view scope, std::string_view client_id,
                           std::uint64_t epoch) {
    session_ = &sessions_["session " + padded(sid)];
    *session_ = " " + std::string{scope} + "/" + std::string{client_id} + " epoch " +
                std::to_string(epoch) + "\n";
    return true;
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
        line += (message.retain ? " retained " : " ") + std::string{message.topic} + "=" +
                std::string{as_text(message.payload)};
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
    for (const auto& [name, lines] : sessions_) {
        all += name + lines;
    }
    for (const std::string& line : retained_) {
        all += line;
    }
    return all;
}

}  // namespace iotsky::test
