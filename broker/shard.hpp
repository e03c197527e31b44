#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "base/clock.hpp"
#include "broker/ids.hpp"
#include "broker/transport.hpp"

namespace iotsky::broker {

struct Shared;

/// Both clocks at the start of a turn: everything in it happens "at" this time.
struct TurnTime {
    TimePoint now;
    WallTime wall;
};

/// One io thread's part of the data plane: its connections, its sessions for ever, its timers, its
/// outgoing records and mail. A function of time and inputs: it owns no socket, clock or thread, so
/// that N of them run in one process under a seeded scheduler (tests/simulation). Confined to its
/// thread.
///
/// A turn, driven by broker/net's Poller (or the simulation):
///   begin_turn -> open / on_bytes / on_writable / on_peer_closed ... -> on_time -> commit_turn ->
///   flush
/// commit_turn appends the turn's records, then publishes the turn's mailboxes; flush writes
/// sockets. Nothing that depends on a record leaves the thread before its append.
class Shard {
  public:
    Shard(ThreadId id, Shared& shared, TransportHost& host, TimePoint now);
    ~Shard();
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;

    /// Control lane, mailboxes, then gates whose batch became durable.
    void begin_turn(TurnTime time);

    /// A transport that is ready for MQTT bytes (TCP accepted, or TLS finished). `accepted_at`
    /// starts the CONNECT deadline. Calls host.attach(). Returns the null ref (gen 0) when a limit
    /// refuses it: the transport is closed.
    ConnRef open(std::unique_ptr<Transport> transport, TimePoint accepted_at);

    enum class After : std::uint8_t {
        go_on,
        gone,  ///< closed, or handed over to its home thread: the transport is no longer the
               ///< caller's business
    };
    /// Plain bytes from the peer, all of them consumed. At most Limits::turn_bytes_max per
    /// connection and turn.
    [[nodiscard]] After on_bytes(ConnRef conn, std::span<const std::byte> bytes);
    /// The peer may take bytes again; flush() tries this turn.
    void on_writable(ConnRef conn);
    /// End of stream, reset or a failed TLS record.
    void on_peer_closed(ConnRef conn, CloseReason reason);
    /// True while R1/R2 forbid reading it; host.resume() follows when that ends.
    [[nodiscard]] bool reading_paused(ConnRef conn) const noexcept;

    /// Deadlines that are due.
    void on_time();
    void commit_turn();
    void flush();

    /// Whether another turn must follow at once (sliced work, control messages, mail).
    [[nodiscard]] bool has_work() const noexcept;
    /// Called between Sleeper::announce() and sleeping: asks the log to wake this thread for its
    /// closed gates; false if there is work after all.
    [[nodiscard]] bool may_sleep();
    /// The latest time to begin the next turn.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    /// Begins the end: closes all connections (their Wills are published), takes nothing new.
    void shut_down();
    [[nodiscard]] std::size_t connections() const noexcept;
    [[nodiscard]] ThreadId id() const noexcept;

    struct Impl;  ///< the parts, for the control messages inside broker/
    [[nodiscard]] Impl& impl() noexcept { return *impl_; }

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace iotsky::broker
