#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "broker/durable_log.hpp"
#include "broker/ids.hpp"

/// The records of the log (`dataplane.md` 2.4): all of the data plane's durable state is what these
/// say.
namespace iotsky::broker {

/// Bit 7: a reader that does not know the type may skip the record; without it the start is
/// refused.
enum class RecordType : std::uint8_t {
    session_open = 1,
    session_end = 2,
    subscribe = 3,
    unsubscribe = 4,
    publish =
        5,  ///< message, references, retained value and inbound QoS 2 identifier, together (L4)
    release_in = 6,  ///< inbound QoS 2 identifier is free again
    sent = 7,        ///< outbound identifier of (sid, mid, form) and send order
    received = 8,    ///< PUBREC came: from now on PUBREL, never PUBLISH
    done = 9,        ///< (sid, mid, form) is delivered or dropped
    will = 10,
    will_off = 11,
    session_away = 12,  ///< its client left or came back: for its expiry over restarts
    uptime = 13,        ///< nothing happened, but time went by
};

/// Why a reference ended.
enum class DoneWhy : std::uint8_t { acknowledged, quota, expired, denied, session_ended };

struct SessionOpenRecord {
    Sid sid;
    std::string_view scope;
    std::string_view client_id;
    std::uint64_t epoch;
};
struct SessionEndRecord {
    Sid sid;
};
struct SubscribeRecord {
    Sid sid;
    std::string_view filter;  ///< as the client wrote it
    std::uint8_t qos;
};
struct UnsubscribeRecord {
    Sid sid;
    std::string_view filter;
};
/// A durable reference: session `sid` shall get the message, at `qos`, under the name of `form`.
struct PublishTarget {
    Sid sid;
    std::uint8_t qos;
    Form form;
};
struct PublishRecord {
    Mid mid;
    Sid publisher;             ///< 0 unless an inbound QoS 2 identifier is part of it
    std::uint16_t inbound_id;  ///< 0 if none
    std::uint8_t qos;
    bool retain;  ///< `retained_rev` is set and the retained store changes
    bool replay;  ///< a retained message for a new subscription: goes out with RETAIN 1
    Rev retained_rev;
    std::string_view topic;
    std::span<const std::byte> payload;
    std::span<const PublishTarget> targets;
};
struct ReleaseInRecord {
    Sid sid;
    std::uint16_t packet_id;
};
struct SentRecord {
    Sid sid;
    Mid mid;
    Form form;
    std::uint16_t packet_id;
    std::uint64_t order;
};
struct ReceivedRecord {
    Sid sid;
    Mid mid;
    Form form;
    std::uint16_t packet_id;
};
struct DoneRecord {
    Sid sid;
    Mid mid;
    Form form;
    DoneWhy why;
};
struct WillRecord {
    Sid sid;
    std::string_view topic;
    std::span<const std::byte> payload;
    std::uint8_t qos;
    bool retain;
};
struct WillOffRecord {
    Sid sid;
};
struct SessionAwayRecord {
    Sid sid;
    std::optional<std::uint64_t> since_s;  ///< uptime when its client left; empty: it is back
};
struct UptimeRecord {
    std::uint64_t uptime_s;
};

/// Collects the records of one thread's turn. Confined to its thread.
class RecordWriter {
  public:
    void add(const SessionOpenRecord& r);
    void add(const SessionEndRecord& r);
    void add(const SubscribeRecord& r);
    void add(const UnsubscribeRecord& r);
    void add(const PublishRecord& r);
    void add(const ReleaseInRecord& r);
    void add(const SentRecord& r);
    void add(const ReceivedRecord& r);
    void add(const DoneRecord& r);
    void add(const WillRecord& r);
    void add(const WillOffRecord& r);
    void add(const SessionAwayRecord& r);
    void add(const UptimeRecord& r);

    [[nodiscard]] bool empty() const noexcept { return chunk_.empty(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return chunk_.size(); }
    /// Hands out what was collected and starts anew.
    [[nodiscard]] RecordChunk take();

  private:
    template <typename Fields>
    void record(RecordType type, Fields&& fields);

    RecordChunk chunk_;
};

/// Receives the records of a chunk in order. Views live while the chunk does.
class RecordVisitor {
  public:
    virtual ~RecordVisitor() = default;
    virtual void on(const SessionOpenRecord& r) = 0;
    virtual void on(const SessionEndRecord& r) = 0;
    virtual void on(const SubscribeRecord& r) = 0;
    virtual void on(const UnsubscribeRecord& r) = 0;
    virtual void on(const PublishRecord& r) = 0;
    virtual void on(const ReleaseInRecord& r) = 0;
    virtual void on(const SentRecord& r) = 0;
    virtual void on(const ReceivedRecord& r) = 0;
    virtual void on(const DoneRecord& r) = 0;
    virtual void on(const WillRecord& r) = 0;
    virtual void on(const WillOffRecord& r) = 0;
    virtual void on(const SessionAwayRecord& r) = 0;
    virtual void on(const UptimeRecord& r) = 0;
};

/// False when the chunk is damaged or holds a mandatory record of an unknown type; the visitor has
/// then seen what lay in front of it.
[[nodiscard]] bool visit_records(std::span<const std::byte> chunk, RecordVisitor& visitor);

}  // namespace iotsky::broker
