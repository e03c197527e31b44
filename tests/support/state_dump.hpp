#pragma once

#include <map>
#include <set>
#include <string>

#include "broker/durable_log.hpp"

namespace iotsky::test {

/// Collects the durable state as text, one line per row in a fixed order, to compare two stores.
class StateDump final : public broker::RecoveryVisitor {
  public:
    [[nodiscard]] bool on_session(broker::Sid sid, std::string_view scope,
                                  std::string_view client_id, std::uint64_t epoch) override;
    void on_subscription(std::string_view filter, std::uint8_t qos) override;
    void on_message(const broker::StoredMessage& message) override;
    void on_inbound(std::uint16_t packet_id) override;
    void on_will(std::string_view topic, std::span<const std::byte> payload, std::uint8_t qos,
                 bool retain) override;
    void on_retained(const broker::StoredRetained& retained);

    /// Sessions by sid with what is theirs (messages in their order), then retained by topic.
    [[nodiscard]] std::string text() const;

  private:
    std::map<std::string, std::string> sessions_;
    std::string* session_ = nullptr;
    std::set<std::string> retained_;
};

/// Everything a log recovers.
template <typename Recoverable>
[[nodiscard]] std::string dump_of(Recoverable& log) {
    StateDump dump;
    log.recover(dump);
    log.recover_retained([&](const broker::StoredRetained& r) { dump.on_retained(r); });
    return dump.text();
}

}  // namespace iotsky::test
