// Poller: the table of descriptors, and closed connections that linger.

#include <sys/socket.h>

#include <bit>
#include <utility>

#include "base/assert.hpp"
#include "broker/net/poller.hpp"

namespace iotsky::net {
namespace {
constexpr std::uint32_t kEdges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
}  // namespace

Poller::SlotRef Poller::take_slot(Kind kind) {
    std::uint32_t index = 0;
    if (free_slots_.empty()) {
        index = static_cast<std::uint32_t>(slots_.size());
        slots_.emplace_back();
    } else {
        index = free_slots_.back();
        free_slots_.pop_back();
    }
    slots_[index].kind = kind;
    return {index, slots_[index].gen};
}

Poller::Slot* Poller::find(SlotRef ref) noexcept {
    if (ref.slot >= slots_.size() || slots_[ref.slot].gen != ref.gen) {
        return nullptr;
    }
    return &slots_[ref.slot];
}

bool Poller::watch(int fd, SlotRef ref, std::uint32_t events) noexcept {
    ::epoll_event event{};
    event.events = events;
    event.data.u64 = std::bit_cast<std::uint64_t>(ref);
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Poller::free_slot(std::uint32_t index) noexcept {
    Slot& slot = slots_[index];
    if (slot.kind == Kind::handshake && slot.owned) {
        slot.owned->poller_ = nullptr;
        --handshaking_;
        counters_.handshakes_waiting.sub();
    }
    if (slot.kind == Kind::linger) {
        --lingering_;
        counters_.lingering.sub();
    }
    const std::uint32_t next_gen = slot.gen + 1;
    slot = Slot{};  // closes what the slot owned
    slot.gen = next_gen == 0 ? 1 : next_gen;
    free_slots_.push_back(index);
}

void Poller::enqueue(std::uint32_t index) {
    Slot& slot = slots_[index];
    if (slot.queued) {
        return;
    }
    slot.queued = true;
    if (slot.kind == Kind::handshake) {
        handshakes_.push_back({index, slot.gen});
    } else {
        ready_.push_back({index, slot.gen});
    }
}

void Poller::add_acceptor(std::unique_ptr<Acceptor> acceptor) {
    const SlotRef ref = take_slot(Kind::acceptor);
    Slot& slot = slots_[ref.slot];
    slot.acceptor = std::move(acceptor);
    // Level-triggered, unlike connections: what a turn's limit leaves waiting is announced again.
    const bool watched = watch(slot.acceptor->fd(), ref, EPOLLIN);
    IOTSKY_ASSERT(watched);
}

void Poller::attach(broker::Transport& transport, broker::ConnRef conn) {
    auto& socket = static_cast<SocketTransport&>(transport);
    if (socket.poller_ != this) {
        const SlotRef ref = take_slot(Kind::connection);
        socket.poller_ = this;
        socket.slot_ = ref.slot;
        // ADD reports present readiness, so no edge is lost on the way between two threads.
        if (!watch(socket.fd(), ref, kEdges)) {
            ::shutdown(socket.fd(), SHUT_RDWR);  // the read below then says that it ended
            slots_[ref.slot].readable = true;
        }
    }
    Slot& slot = slots_[socket.slot_];
    slot.kind = Kind::connection;
    slot.queued = false;
    slot.transport = &socket;
    slot.conn = conn;
    slot.readable |= socket.holds_input();
    if (slot.readable) {
        enqueue(socket.slot_);
    }
}

void Poller::detach(broker::Transport& transport) {
    auto& socket = static_cast<SocketTransport&>(transport);
    if (socket.poller_ == this) {
        forget(socket, true);
    }
}

void Poller::forget(SocketTransport& transport, bool fd_lives_on) noexcept {
    if (fd_lives_on) {
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, transport.fd(), nullptr);
    }
    transport.poller_ = nullptr;
    free_slot(std::exchange(transport.slot_, SocketTransport::kNoSlot));
}

void Poller::linger(SocketTransport& transport) {
    const bool nothing_left =
        (transport.peer_gone_ && transport.kept_.empty()) || lingering_ >= options_.lingering_max;
    if (nothing_left) {
        forget(transport, false);
        transport.fd_.reset();
        return;
    }
    const std::uint32_t index = std::exchange(transport.slot_, SocketTransport::kNoSlot);
    transport.poller_ = nullptr;
    Slot& slot = slots_[index];
    slot.kind = Kind::linger;
    slot.transport = nullptr;
    const TimePoint deadline = buffers_.now + options_.linger_timeout;
    slot.linger =
        std::make_unique<Linger>(std::move(transport.fd_), std::move(transport.kept_), deadline);
    ++lingering_;
    counters_.lingering.add();
    deadlines_.push({deadline, {index, slot.gen}});
    step_linger(index);
}

void Poller::step_linger(std::uint32_t index) {
    if (!slots_[index].linger->step(buffers_)) {
        free_slot(index);
    }
}

}  // namespace iotsky::net
