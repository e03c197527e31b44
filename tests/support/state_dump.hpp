#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/durable_log.hpp"

namespace iotsky::test {

/// Collects the durable state as text, one line per row in a fixed order, to compare two stores.
class StateDump final : public broker::RecoveryVisitor {
  public:
    [[nodiscard]] bool on_session(const broker::StoredSession& session) override;
    void on_subscription(std::string_view filter, std::uint8_t qos) override;
    void on_inbound(std::uint16_t packet_id) override;
    void on_will(std::string_view topic, std::span<const std::byte> payload, std::uint8_t qos,
                 bool retain) override;
    void on_retained(const broker::StoredRetained& retained);
    void on_queue(broker::Sid sid, const broker::QueuePage& page);
    [[nodiscard]] const std::vector<broker::Sid>& sids() const noexcept { return sids_; }

    /// Sessions by sid with what is theirs (messages in their order), then retained by topic.
    [[nodiscard]] std::string text() const;

  private:
    void on_message(const broker::StoredMessage& message);

    std::map<broker::Sid, std::string> sessions_;
    std::vector<broker::Sid> sids_;
    std::string* session_ = nullptr;
    std::set<std::string> retained_;
};

/// The whole queue of a session.
[[nodiscard]] broker::QueueRead whole_queue(broker::Sid sid);

/// Everything a log recovers. It has recover, recover_retained and `QueuePage read(QueueRead)`.
template <typename Recoverable>
[[nodiscard]] std::string dump_of(Recoverable& log) {
    StateDump dump;
    log.recover(dump);
    log.recover_retained([&](const broker::StoredRetained& r) { dump.on_retained(r); });
    for (const broker::Sid sid : dump.sids()) {
        dump.on_queue(sid, log.read(whole_queue(sid)));
    }
    return dump.text();
}

}  // namespace iotsky::test
