#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/durable_log.hpp"
#include "broker/records.hpp"

namespace iotsky::simulation {

/// The tables that the records of the log describe (`dataplane.md` 2.4), as plain containers: what
/// a disk would hold.
class Tables final : public broker::RecordVisitor {
  public:
    void apply(const broker::RecordChunk& chunk);
    /// The process died: nothing that is older than a deletion can come any more, so the tombstones
    /// of retained messages go, and revisions begin anew.
    void forget_tombstones();
    void recover(broker::RecoveryVisitor& visitor) const;
    void recover_retained(const std::function<void(const broker::StoredRetained&)>& visit) const;
    [[nodiscard]] broker::QueuePage read(const broker::QueueRead& read) const;
    [[nodiscard]] broker::LogCounters counters() const { return counters_; }
    [[nodiscard]] std::size_t queue_rows() const;
    // What the disk knows of a session; false without one.
    [[nodiscard]] bool has_session(std::string_view scope, std::string_view client_id) const;
    [[nodiscard]] bool has_subscription(std::string_view scope, std::string_view client_id,
                                        const std::string& filter) const;
    [[nodiscard]] bool has_inbound(std::string_view scope, std::string_view client_id,
                                   std::uint16_t packet_id) const;
    /// A message that has this identifier, whether it was received or not.
    [[nodiscard]] bool has_in_flight(std::string_view scope, std::string_view client_id,
                                     std::uint16_t packet_id) const;
    /// One whose PUBREC came.
    [[nodiscard]] bool has_released(std::string_view scope, std::string_view client_id,
                                    std::uint16_t packet_id) const;
    [[nodiscard]] std::size_t messages() const { return messages_.size(); }
    [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }

    void on(const broker::SessionOpenRecord& r) override;
    void on(const broker::SessionEndRecord& r) override;
    void on(const broker::SubscribeRecord& r) override;
    void on(const broker::UnsubscribeRecord& r) override;
    void on(const broker::PublishRecord& r) override;
    void on(const broker::ReleaseInRecord& r) override;
    void on(const broker::SentRecord& r) override;
    void on(const broker::ReceivedRecord& r) override;
    void on(const broker::DoneRecord& r) override;
    void on(const broker::WillRecord& r) override;
    void on(const broker::WillOffRecord& r) override;
    void on(const broker::SessionAwayRecord& r) override;
    void on(const broker::UptimeRecord& r) override;

  private:
    struct Message {
        std::string topic;
        std::string payload;
        bool replay = false;
        std::size_t refs = 0;
    };
    struct Row {
        std::uint8_t qos = 0;
        broker::StoredMessage::State state = broker::StoredMessage::State::queued;
        std::uint16_t packet_id = 0;
        std::uint64_t order = 0;
    };
    struct Will {
        std::string topic;
        std::string payload;
        std::uint8_t qos = 0;
        bool retain = false;
    };
    using QueueKey = std::pair<broker::Mid, broker::Form>;
    struct Session {
        std::string scope;
        std::string client_id;
        std::uint64_t epoch = 0;
        std::map<std::string, std::uint8_t> subscriptions;
        std::map<QueueKey, Row> queue;
        std::set<std::uint16_t> inbound;
        std::optional<Will> will;
        std::optional<std::uint64_t> away_since_s;
    };
    struct RetainedRow {
        std::string payload;
        std::uint8_t qos = 0;
        broker::Rev rev = 0;
    };
    [[nodiscard]] const Session* find(std::string_view scope, std::string_view client_id) const;
    void unref(broker::Mid mid, const Row& row);
    [[nodiscard]] broker::StoredMessage stored(broker::Mid mid, broker::Form form,
                                               const Row& row) const;
    [[nodiscard]] broker::QueueSize queue_size(const Session& session) const;
    Row* row(broker::Sid sid, broker::Mid mid, broker::Form form);

    std::map<broker::Sid, Session> sessions_;
    std::map<broker::Mid, Message> messages_;
    std::map<std::string, RetainedRow> retained_;
    broker::LogCounters counters_;
};

}  // namespace iotsky::simulation
