#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "broker/clone_brake.hpp"
#include "broker/connect_handler.hpp"
#include "broker/connection.hpp"
#include "broker/connection_table.hpp"
#include "broker/delivery.hpp"
#include "broker/disk_queue.hpp"
#include "broker/mailbox.hpp"
#include "broker/memory_stage.hpp"
#include "broker/message.hpp"
#include "broker/message_age.hpp"
#include "broker/notices.hpp"
#include "broker/outbox.hpp"
#include "broker/protocol.hpp"
#include "broker/queue_account.hpp"
#include "broker/rights.hpp"
#include "broker/route_cache.hpp"
#include "broker/router.hpp"
#include "broker/sender.hpp"
#include "broker/service_calls.hpp"
#include "broker/session_end.hpp"
#include "broker/session_table.hpp"
#include "broker/shard.hpp"
#include "broker/shared.hpp"
#include "broker/subscriptions.hpp"
#include "broker/throttle.hpp"
#include "broker/timer_wheel.hpp"
#include "broker/turn.hpp"

namespace iotsky::broker {

/// The parts of one thread's data plane, and what they share. Data flows one way:
///   bytes -> Protocol -> (ConnectHandler | Subscriptions | Router) -> Delivery -> (DiskQueue |
///   Outbox) -> Sender -> out-buffers and gates.
/// Confined to the thread.
struct Shard::Impl {
    Impl(ThreadId thread, Shared& s, TransportHost& h, TimePoint now);

    const ThreadId id;
    Shared& shared;
    TransportHost& host;
    const Limits& limits;
    ShardStats& stats;
    TurnTime time{};

    ChunkPool chunks;
    MessagePool messages;
    ConnectionTable connections;
    SessionTable sessions;
    TurnLog turn;
    TimerWheel wheel;
    RouteCache routes;

    Sender sender;
    QueueAccount account;
    Outbox outbox;
    Delivery delivery;
    DiskQueue disk_queue;
    Router router;
    Subscriptions subscriptions;
    SessionEnd session_end;
    ConnectHandler connect_handler;
    Protocol protocol;
    Rights rights;
    Notices notices;
    Throttle throttle;
    ServiceCalls service_calls;
    CloneBrake clones;
    MessageAge ages;

    const bool watches_pressure;  ///< publishers look at how full queues are

    bool recovered = false;
    TimePoint started{};  ///< the first turn
    std::vector<SessionRef>
        recovered_sessions;  ///< their Wills fire once every thread has its subscriptions
    bool shutting_down = false;
    bool log_keeps_up = true;  ///< asked once a turn, when there may be relaxed sessions
    bool log_full = false;     ///< records that are not durable fill their limit
    TimePoint next_tick{};

    /// Adds a record about `session` to the turn. Returns what its answers wait for: 0, nothing,
    /// when it is relaxed.
    template <typename Record>
    TurnNo record(Session& session, const Record& r) {
        if (answers_early(session)) {
            (void)turn.add(r);
            return 0;
        }
        return record_strictly(session, r);
    }
    /// The same for what other sessions lean on.
    template <typename Record>
    TurnNo record_strictly(Session& session, const Record& r) {
        session.last_turn = turn.add(r);
        return session.last_turn;
    }
    /// Whether what it does is acknowledged before it is on disk (`decisions.md` 17, 19).
    [[nodiscard]] bool answers_early(const Session& session) const noexcept {
        return session.durability != Durability::durable && log_keeps_up;
    }
    [[nodiscard]] Mid next_mid();
    /// How long brokers have run on this log, all runs together.
    [[nodiscard]] std::uint64_t uptime_s() const noexcept {
        return shared.uptime_before_s +
               static_cast<std::uint64_t>(
                   std::chrono::duration_cast<std::chrono::seconds>(time.now - started).count());
    }
    /// R4: how far queued messages are above their mark.
    [[nodiscard]] MemoryStage memory_stage() const noexcept {
        return stage_of(messages.bytes(), limits.memory_bytes_max);
    }
    /// What each session of this thread may hold when there is not enough for all.
    [[nodiscard]] std::size_t fair_share_bytes() const noexcept {
        return limits.memory_bytes_max / std::max<std::size_t>(1, sessions.size());
    }
    /// Sliced work (replays) to go on with in the next turn.
    void add_work(Session& session);
    void do_work();
    [[nodiscard]] bool sender_has_room(const Session& session) const;
    /// Calls `done` when everything recorded up to now is durable.
    void when_durable(std::function<void()> done);
    void answer_waiters();
    /// First turns: loads the sessions, then lets them be "away".
    void recover();
    /// Services' own messages, about once a second on thread 0.
    void tick_services();

    struct Waiter {
        TurnNo turn = 0;
        std::function<void()> done;
    };
    std::deque<Waiter> waiters;
    std::vector<SessionRef> work;
    std::vector<std::unique_ptr<Transport>> closed_transports;  ///< freed at the end of the turn
    Mid last_mid = 0;  ///< the last number that next_mid() gave
    std::uint64_t message_seq = 0;
    std::uint64_t message_seq_end = 0;
};

}  // namespace iotsky::broker
