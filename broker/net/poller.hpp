#pragma once

// Internal to broker/net.

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "base/clock.hpp"
#include "broker/mailbox.hpp"
#include "broker/net/acceptor.hpp"
#include "broker/net/handshake_doctor.hpp"
#include "broker/net/io_buffers.hpp"
#include "broker/net/linger.hpp"
#include "broker/net/net_counters.hpp"
#include "broker/net/options.hpp"
#include "broker/net/poller_sink.hpp"
#include "broker/net/socket_transport.hpp"
#include "broker/transport.hpp"

namespace iotsky::net {

/// Wakes a sleeping Poller. Thread: any.
class EventFdWaker final : public broker::Waker {
  public:
    EventFdWaker();
    /// Never read: the edge is the message, and 2^64 - 2 of them fit.
    void wake() noexcept override;
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  private:
    UniqueFd fd_;
};

/// The edge-triggered loop of one io thread: accept, handshakes, reads, and the order of a turn
/// (`dataplane.md` 0 and 7). Descriptors are added once and never modified; epoll data is {slot,
/// generation}, so that events of a moved or closed descriptor are recognised; the ready list
/// drives, epoll only adds to it. Confined to its thread, but for waker().
class Poller final : public broker::TransportHost {
  public:
    /// Throws std::system_error when the kernel gives no epoll or eventfd.
    Poller(const PollerOptions& options, const Clock& clock);
    ~Poller() override;
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    /// Before the first turn. `sink` must outlive the turns.
    void set_sink(PollerSink& sink) noexcept { sink_ = &sink; }
    /// Readable when a turn has something to do; to be nested in another poll.
    [[nodiscard]] int epoll_fd() const noexcept { return epoll_.get(); }
    [[nodiscard]] broker::Waker& waker() noexcept { return waker_; }

    /// begin_turn, epoll_wait, handshakes, reads, on_time, commit_turn, flush. Never blocks.
    void turn();
    /// Whether another turn must follow at once.
    [[nodiscard]] bool has_work() const;
    /// The latest time of the next turn: the sink's deadline or one of a handshake.
    [[nodiscard]] std::optional<TimePoint> next_deadline() const;

    /// From now on takes connections of `acceptor`.
    void add_acceptor(std::unique_ptr<Acceptor> acceptor);
    /// Takes a connection: opens it at once, or after its handshake.
    void add(std::unique_ptr<SocketTransport> transport);
    /// No new connections; those in a handshake are cut.
    void stop_accepting();
    /// Nothing is left of closed connections and handshakes.
    [[nodiscard]] bool quiet() const noexcept { return lingering_ == 0 && handshaking_ == 0; }

    void attach(broker::Transport& transport, broker::ConnRef conn) override;
    void detach(broker::Transport& transport) override;
    void resume(broker::Transport& transport) override;

    [[nodiscard]] IoBuffers& buffers() noexcept { return buffers_; }
    [[nodiscard]] NetCounters& counters() noexcept { return counters_; }

  private:
    friend class SocketTransport;

    enum class Kind : std::uint8_t { free, waker, acceptor, handshake, connection, linger };
    struct Slot {
        std::uint32_t gen = 1;
        Kind kind = Kind::free;
        bool queued = false;    ///< on the ready list, or in the handshakes' queue
        bool readable = false;  ///< the kernel or the transport may hold bytes
        bool writable = false;  ///< an edge said that the peer takes bytes again
        bool hangup = false;    ///< no edge will follow: read on to the end
        SocketTransport* transport = nullptr;
        broker::ConnRef conn;
        std::unique_ptr<SocketTransport> owned;  ///< while in its handshake
        std::unique_ptr<Acceptor> acceptor;
        std::unique_ptr<Linger> linger;
    };
    struct SlotRef {
        std::uint32_t slot;
        std::uint32_t gen;
    };
    struct Deadline {
        TimePoint at;
        SlotRef ref;
        bool operator<(const Deadline& other) const noexcept { return at > other.at; }
    };

    // poller.cpp: the turn
    void collect_events();
    void on_event(const ::epoll_event& event);
    void accept_from(Slot& slot);
    void read_ready();
    void serve(SlotRef ref);
    [[nodiscard]] bool read_once(SlotRef ref);
    void expire();

    // poller_handshakes.cpp
    void begin_handshake(std::unique_ptr<SocketTransport> transport);
    void run_handshakes();
    void step_handshake(SlotRef ref);
    void finish_handshake(SlotRef ref);
    void fail_handshake(SlotRef ref, bool timed_out);
    void hand_over(SlotRef ref);
    void count_handshake(const SocketTransport& transport);
    void tell_folded_failures();

    // poller_slots.cpp
    [[nodiscard]] SlotRef take_slot(Kind kind);
    [[nodiscard]] Slot* find(SlotRef ref) noexcept;
    [[nodiscard]] bool watch(int fd, SlotRef ref, std::uint32_t events) noexcept;
    void free_slot(std::uint32_t slot) noexcept;
    void enqueue(std::uint32_t slot);
    /// Takes over what a closing transport leaves.
    void linger(SocketTransport& transport);
    void step_linger(std::uint32_t slot);
    /// The transport is destroyed or moves; its slot ends.
    void forget(SocketTransport& transport, bool fd_lives_on) noexcept;

    PollerOptions options_;
    const Clock& clock_;
    PollerSink* sink_ = nullptr;
    UniqueFd epoll_;
    EventFdWaker waker_;
    IoBuffers buffers_;
    NetCounters counters_;

    std::deque<Slot> slots_;  // a deque: references stay while attach() grows it
    std::vector<std::uint32_t> free_slots_;
    std::vector<SlotRef> ready_;
    std::vector<SlotRef> serving_;  // the ready list of this turn
    std::deque<SlotRef> handshakes_;
    std::priority_queue<Deadline> deadlines_;
    std::array<::epoll_event, 512> events_{};
    bool more_events_ = false;
    bool stopping_ = false;
    std::size_t lingering_ = 0;
    std::size_t handshaking_ = 0;
    std::shared_ptr<HandshakeDoctor> doctor_;  ///< of the last failed handshake
    std::optional<TimePoint> tell_at_;         ///< when it has folded failures to tell
};

}  // namespace iotsky::net
