#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

/// What the HTTP endpoint asks of the data plane. The broker implements it; apps/ joins the two.
namespace iotsky::api {

/// One live Network Connection.
struct ConnectionInfo {
    std::string client_id;
    std::string identity;    ///< "7b/otter/weather", a service's name, "anonymous"
    std::string thing_path;  ///< "class/project/thing"; the AWS name of a classless thing; empty
                             ///< without a thing
    std::string address;     ///< with port
    std::string listener;
    std::string protocol;     ///< "mqtt", "mqtts", "ws", "wss"
    std::string tls_version;  ///< "TLSv1.3"; empty without TLS
    WallTime since{};
    std::uint32_t keep_alive_s = 0;
    bool clean_session = true;
    std::uint64_t in_messages = 0;   ///< PUBLISH packets from the client
    std::uint64_t out_messages = 0;  ///< PUBLISH packets to the client
    std::uint64_t queued = 0;        ///< messages of its session that wait
};

/// Which connections or sessions; all that is set must match. Nothing set: all.
struct ClientSelector {
    std::optional<std::string> class_name;  ///< first level of the thing's path
    std::optional<std::string> project;     ///< second level; with class_name
    std::optional<std::string> thing_path;
    std::optional<std::string> client_id;
    std::optional<std::string> identity;
    std::optional<std::string> listener;
    std::optional<std::string> address;      ///< without port
    std::optional<std::string> certificate;  ///< SHA-256 fingerprint, lower-case hexadecimal

    [[nodiscard]] bool empty() const noexcept {
        return !class_name && !project && !thing_path && !client_id && !identity && !listener &&
               !address && !certificate;
    }
};

struct SubscriptionInfo {
    std::string filter;  ///< as subscribed, `$me/...` kept
    std::uint8_t qos = 0;
};

struct SessionInfo {
    std::string id;  ///< opaque, stable while the session lives; of [A-Za-z0-9_-]
    std::string client_id;
    std::string identity;
    std::string thing_path;  ///< empty without a thing
    bool connected = false;
    bool clean_session = true;
    WallTime since{};  ///< when it began
    std::uint64_t subscriptions = 0;
    std::uint64_t queued_messages = 0;
    std::uint64_t queued_bytes = 0;
    std::uint64_t queue_bytes_max = 0;
    std::uint64_t inflight = 0;
    std::string durability;                 ///< "durable", "relaxed", "memory"
    std::uint64_t dropped_quota = 0;        ///< a quota was full
    std::uint64_t dropped_expired = 0;      ///< waited in the queue for too long
    std::uint64_t dropped_denied = 0;       ///< not allowed any more when it was delivered
    std::uint64_t dropped_slow = 0;         ///< QoS 0 for a reader that is too slow
    std::vector<SubscriptionInfo> filters;  ///< filled by session() alone
};

struct RetainedInfo {
    std::string topic;
    std::uint8_t qos = 0;
    std::uint64_t bytes = 0;  ///< of the whole payload
    std::string payload;      ///< its first kRetainedPreviewBytes bytes
    WallTime stored_at{};
};
inline constexpr std::size_t kRetainedPreviewBytes = 4096;

struct PublishOrder {
    std::string topic;  ///< a valid Topic Name
    std::string payload;
    std::uint8_t qos = 0;
    bool retain = false;
};

/// One bucket list for Prometheus: cumulative counts are made by the renderer.
struct HistogramStats {
    std::vector<double> upper_s;        ///< rising; without the infinite one
    std::vector<std::uint64_t> counts;  ///< one more than upper_s: the last is beyond all
    double sum_s = 0;
};

/// A counter with its label values, in the order that the metric's labels have.
struct LabelledCount {
    std::vector<std::string> labels;
    std::uint64_t count = 0;
};

/// All counters of the data plane. Label values come from bounded sets: never a topic or a client.
struct BrokerStats {
    std::vector<LabelledCount> connections;  ///< listener, protocol
    std::vector<LabelledCount> connects;     ///< listener, result, reason
    std::vector<LabelledCount> handshakes;   ///< TLS: listener, result, reason, resumed
    std::vector<LabelledCount> websockets;   ///< requests: listener, result, reason
    std::uint64_t handshakes_waiting = 0;
    HistogramStats handshake_seconds;
    std::uint64_t sessions_connected = 0;
    std::uint64_t sessions_disconnected = 0;
    std::vector<LabelledCount> takeovers;         ///< kind: same_board, clone
    std::vector<LabelledCount> publish_received;  ///< qos
    std::vector<LabelledCount> publish_sent;      ///< qos
    std::uint64_t publish_bytes_received = 0;
    std::uint64_t publish_bytes_sent = 0;
    std::vector<LabelledCount> publish_dropped;  ///< reason
    std::uint64_t inflight_messages = 0;
    std::uint64_t queued_messages = 0;
    std::uint64_t queued_bytes = 0;
    std::uint64_t retained_messages = 0;
    std::uint64_t retained_bytes = 0;
    std::uint64_t subscriptions = 0;
    std::vector<LabelledCount> refusals;          ///< action, reason (the number, "E3101")
    std::vector<LabelledCount> brakes;            ///< stage: what slowed somebody down
    std::vector<LabelledCount> things_connected;  ///< class ("" for classless ones)
    std::vector<LabelledCount> busiest_things;    ///< class, thing: messages in both directions
    HistogramStats event_loop_lag_seconds;
    std::uint64_t failed_handshakes = 0;  ///< since the start

    bool log_accepting = true;  ///< false: commits fail, acknowledgements are held back
    std::string log_reason;     ///< in words, when not accepting
    std::uint64_t log_pending_bytes = 0;
    std::optional<HistogramStats> store_commit_seconds;  ///< none: the log has no disk
};

/// Called once with the answer, from any thread; may be called before the call returns.
template <typename T>
using Answer = std::function<void(Result<T>)>;

/// Asynchronous: each call posts to the io threads and collects their answers. Thread: any; never
/// blocks. Answers that a stopping broker does not give any more are given as Errc::unavailable.
class BrokerAdmin {
  public:
    virtual ~BrokerAdmin() = default;

    /// At most `limit`, in order of client id.
    virtual void connections(ClientSelector which, std::size_t limit,
                             Answer<std::vector<ConnectionInfo>> answer) = 0;
    /// Closes; no will is held back. Answers with how many, once they are closed.
    virtual void kick(ClientSelector which, Answer<std::uint64_t> answer) = 0;

    virtual void sessions(ClientSelector which, std::size_t limit,
                          Answer<std::vector<SessionInfo>> answer) = 0;
    /// Errors: not_found.
    virtual void session(std::string id, Answer<SessionInfo> answer) = 0;
    /// Closes its connection and forgets it; answers when that is durable. Errors: not_found.
    virtual void drop_session(std::string id, Answer<void> answer) = 0;

    /// Retained messages whose topic matches the Topic Filter, in topic order, after the topic
    /// `after` (empty: from the start).
    virtual void retained(std::string filter, std::string after, std::size_t limit,
                          Answer<std::vector<RetainedInfo>> answer) = 0;
    /// Deletes them all; answers with how many when that is durable.
    virtual void delete_retained(std::string filter, Answer<std::uint64_t> answer) = 0;
    /// As a client without an identity of its own would; answers when it is durable, with the
    /// number of sessions that it matched.
    virtual void publish(PublishOrder order, Answer<std::uint64_t> answer) = 0;

    virtual void stats(Answer<BrokerStats> answer) = 0;
};

}  // namespace iotsky::api
