// Poller: connections that are not yet the sink's. FIFO, a budget per turn, a deadline each.

#include <chrono>
#include <utility>

#include "broker/net/listener_shared.hpp"
#include "broker/net/poller.hpp"

namespace iotsky::net {
namespace {

constexpr std::uint32_t kEdges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
// Most handshakes end long before their deadline; deadlines that share a tick share a wake-up.
constexpr std::chrono::milliseconds kDeadlineTick{64};

TimePoint next_tick(TimePoint at) {
    const auto ticks = at.time_since_epoch() / kDeadlineTick;
    return TimePoint{std::chrono::duration_cast<TimePoint::duration>((ticks + 1) * kDeadlineTick)};
}

}  // namespace

void Poller::begin_handshake(std::unique_ptr<SocketTransport> transport) {
    const SlotRef ref = take_slot(Kind::handshake);
    if (!watch(transport->fd(), ref, kEdges)) {
        free_slot(ref.slot);
        return;
    }
    Slot& slot = slots_[ref.slot];
    transport->poller_ = this;
    transport->slot_ = ref.slot;
    slot.transport = transport.get();
    slot.owned = std::move(transport);
    ++handshaking_;
    counters_.handshakes_waiting.add();
    const auto& listener = slot.transport->listener();
    const auto timeout = listener ? listener->handshake_timeout.load(std::memory_order_relaxed)
                                  : ListenerOptions{}.handshake_timeout;
    deadlines_.push({next_tick(slot.transport->accepted_at() + timeout), ref});
}

void Poller::run_handshakes() {
    if (handshakes_.empty()) {
        return;
    }
    const TimePoint until = clock_.now() + options_.handshake_budget;
    do {
        const SlotRef ref = handshakes_.front();
        handshakes_.pop_front();
        if (Slot* slot = find(ref); slot != nullptr && slot->kind == Kind::handshake) {
            slot->queued = false;
            step_handshake(ref);
        }
    } while (!handshakes_.empty() && clock_.now() < until);
}

void Poller::step_handshake(SlotRef ref) {
    Slot& slot = *find(ref);
    slot.writable = false;
    if (!slot.transport->send_kept()) {
        fail_handshake(ref, false);
        return;
    }
    switch (slot.transport->handshake(buffers_)) {
        case HandshakeStep::waiting:
            if (slot.hangup) {
                enqueue(ref.slot);  // no edge follows: read on to the end
            }
            break;
        case HandshakeStep::more:
            enqueue(ref.slot);
            break;
        case HandshakeStep::done:
            finish_handshake(ref);
            break;
        case HandshakeStep::hand_over:
            hand_over(ref);
            break;
        case HandshakeStep::failed:
            fail_handshake(ref, false);
            break;
    }
}

void Poller::finish_handshake(SlotRef ref) {
    Slot& slot = *find(ref);
    slot.kind = Kind::connection;
    std::unique_ptr<SocketTransport> transport = std::move(slot.owned);
    --handshaking_;
    counters_.handshakes_waiting.sub();
    const TimePoint accepted_at = transport->accepted_at();
    static_cast<void>(sink_->open(std::move(transport), accepted_at));
}

/// From now on it is another thread's, which serves HTTP.
void Poller::hand_over(SlotRef ref) {
    Slot& slot = *find(ref);
    std::unique_ptr<SocketTransport> transport = std::move(slot.owned);
    --handshaking_;
    counters_.handshakes_waiting.sub();
    slot.kind = Kind::connection;
    forget(*transport, true);
    const WebHandler& web = transport->listener()->web;
    web(std::make_unique<WebConnection>(std::move(transport)));
}

void Poller::count_handshake(const SocketTransport& transport) {
    const auto length = std::chrono::nanoseconds(clock_.now() - transport.accepted_at());
    counters_.handshake_seconds.record_ns(static_cast<std::uint64_t>(length.count()));
    if (const auto& listener = transport.listener()) {
        HandshakeCounters& of = listener->handshakes;
        add_one(transport.peer().resumed ? of.resumed : of.full);
    }
}

void Poller::tell_folded_failures() {
    if (!tell_at_ || buffers_.now < *tell_at_) {
        return;
    }
    tell_at_.reset();
    if (doctor_->tell_folded(buffers_.now, clock_.wall_now())) {
        tell_at_ = buffers_.now + HandshakeDoctor::kFold;
    }
}

void Poller::fail_handshake(SlotRef ref, bool timed_out) {
    Slot& slot = *find(ref);
    slot.transport->tell_failure(timed_out, buffers_.now, clock_.wall_now());
    if (const auto& listener = slot.transport->listener(); listener && listener->doctor) {
        doctor_ = listener->doctor;
        tell_at_ = tell_at_.value_or(buffers_.now + HandshakeDoctor::kFold);
    }
    // Out of the slot first: closing turns the slot into a lingering one.
    const std::unique_ptr<SocketTransport> transport = std::move(slot.owned);
    --handshaking_;
    counters_.handshakes_waiting.sub();
    slot.kind = Kind::connection;
    transport->close();
}

}  // namespace iotsky::net
