#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace iotsky::broker {

/// What happens to a message for a session whose queue is full.
enum class QueueFull : std::uint8_t {
    drop_newest,  ///< the new one is dropped, counted and told
    drop_oldest,  ///< the oldest one that is not in flight is dropped, counted and told
    refuse,       ///< a client that publishes to it gets no acknowledgement, is told and closed
};

/// What an acknowledgement promises to a session, and what is kept of it (`decisions.md` 17).
enum class Durability : std::uint8_t {
    durable,  ///< acknowledged = on disk
    relaxed,  ///< acknowledged = in memory, and on disk soon: the log states the bound
    memory,   ///< nothing of it is on disk: it ends with the process
};

/// Which of two boards with one identity and Client Identifier stays.
enum class CloneStays : std::uint8_t {
    newest,  ///< the one that connected last
    first,   ///< the one that was connected before the other came
};

/// Two lanes with as many in flight each take half of the 65,535 Packet Identifiers: one is always
/// found at once, and none comes again before a full turn of the counter [MQTT-2.3.1-4].
inline constexpr std::uint16_t kInflightMax = 16'384;

/// Limits of one Network Connection and of the session behind it. A listener may have its own
/// (`Options::listeners`).
struct ConnectionLimits {
    std::size_t pre_connect_bytes_max = 64U
                                        << 10U;  ///< bytes before a whole CONNECT, 1 KiB .. 1 MiB
    std::chrono::milliseconds connect_timeout{
        10'000};  ///< from accept to a whole CONNECT, 100 ms .. 10 min
    std::chrono::milliseconds packet_timeout{30'000};  ///< from a packet's first byte to its last
    std::chrono::milliseconds stuck_reader_timeout{30'000};  ///< bytes wait and the peer takes none
    std::uint32_t packet_bytes_max = 256U << 10U;            ///< 128 B .. 268,435,455
    std::uint16_t inflight_max =
        100;  ///< unacknowledged PUBLISHes per direction and session, 1 .. kInflightMax
    std::size_t queue_bytes_max = 64U << 20U;    ///< per session: topics, payloads, 64 bytes each
    std::size_t queue_messages_max = 1'000'000;  ///< per session
    std::chrono::seconds keep_alive_max{0};      ///< 0: none below the standard's 65,535 s
    std::size_t connections_max = 50'000;        ///< of the broker; for a listener, its own
    /// Of sessions whose clients come by it.
    Durability durability = Durability::durable;
};

/// Limits of the data plane (`decisions.md` 18). Each is a key of the configuration; reaching one
/// is a tested behaviour, never silent.
struct Limits : ConnectionLimits {
    std::chrono::milliseconds linger_timeout{
        5'000};  ///< to hand over the last bytes before a close
    QueueFull queue_full = QueueFull::drop_newest;
    /// What waited in a queue for so long is dropped, counted and told; 0: never, else 1 s .. 10 y.
    std::chrono::seconds queue_age_max{0};
    /// Queued messages of all sessions of one project, and of the broker; 0: no limit. They hold
    /// for sessions whose client is away or does not keep up: what goes out at once needs no queue.
    std::size_t queue_bytes_per_project_max = std::size_t{1} << 30U;
    std::size_t queue_bytes_broker_max = std::size_t{8} << 30U;
    /// Of a persistent session's queue in memory while its client is here; what is above lies on
    /// disk alone, and so does all of it while the client is away.
    std::size_t queue_memory_bytes_max = 1U << 20U;
    /// How long an acknowledgement is held back while a receiver that is connected has more than
    /// half of its queue waiting, 0 (off) .. 100 ms (R3).
    std::chrono::milliseconds publish_pacing{0};
    std::chrono::milliseconds service_timeout{
        10'000};  ///< for a service of the broker to answer, 100 ms .. 10 min
    std::size_t service_calls_max =
        16;  ///< unanswered ones of one session, 1 .. 10,000; then reading pauses
    std::size_t filters_max = 10'000;  ///< subscriptions per session
    /// Topic Filters in SUBSCRIBE and UNSUBSCRIBE of one connection, 1 .. 1,000,000 each: over
    /// time, and at once. Beyond it the connection is read more slowly.
    std::uint32_t subscription_changes_per_second = 200;
    std::uint32_t subscription_changes_burst = 10'000;
    /// Take-overs of one session by a board with another address in `takeover_window`, until one of
    /// the two stays; 0: as many as they like.
    std::size_t takeovers_max = 3;
    std::chrono::milliseconds takeover_window{30'000};  ///< 1 s .. 1 h
    CloneStays clone_stays = CloneStays::newest;
    std::size_t topic_levels_max = 0;         ///< 0: no limit below the standard's 65,535 bytes
    std::size_t out_soft_bytes = 64U << 10U;  ///< PUBLISHes stop being taken from the queue
    std::size_t out_hard_bytes = 1U << 20U;   ///< QoS 0 is dropped and counted
    std::size_t out_ack_reserve_bytes =
        64U << 10U;  ///< beyond soft, for acknowledgements; then reading pauses
    std::size_t gate_packets_max =
        10'000;  ///< gated packets of one connection; then reading pauses
    std::size_t log_pending_bytes_max =
        32U << 20U;  ///< records not yet durable; then what needs the disk waits
    std::size_t mailbox_bytes_max = 8U
                                    << 20U;  ///< towards one thread; then senders' publishers pause
    std::size_t memory_bytes_max = std::size_t{1}
                                   << 30U;     ///< high-water mark of queued messages per thread
    std::size_t turn_bytes_max = 64U << 10U;   ///< read per connection and turn
    std::size_t turn_packets_max = 256;        ///< packets per connection and turn
    std::size_t slice = 256;                   ///< items of one slice of unbounded work
    std::size_t sessions_max = 100'000;        ///< per broker
    std::size_t client_id_bytes_max = 65'535;  ///< the standard's own limit
    std::chrono::seconds session_expiry{7 * 24 *
                                        3600};  ///< a persistent session without a connection
};

/// Whether a topic or filter has as many levels as are allowed.
[[nodiscard]] inline bool within_levels(std::string_view topic, const Limits& limits) noexcept {
    return limits.topic_levels_max == 0 ||
           static_cast<std::size_t>(std::count(topic.begin(), topic.end(), '/')) <
               limits.topic_levels_max;
}

struct Options {
    Limits limits;
    /// By name: what a listener says itself in place of `limits`, whole. Others have `limits`.
    std::map<std::string, ConnectionLimits, std::less<>> listeners;
    unsigned threads = 0;  ///< io threads; 0: CPUs of the affinity mask
    std::size_t route_entries_max = 65'536;
    std::size_t route_bytes_max = 64U << 20U;
    std::size_t retained_messages_max = 1'000'000;
    std::size_t retained_bytes_max = 256U << 20U;
};

}  // namespace iotsky::broker
