#include "broker/net/poller.hpp"

#include <sys/eventfd.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/assert.hpp"

namespace iotsky::net {
namespace {

constexpr std::uint32_t kHangupEvents = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

UniqueFd checked(int fd, const char* what) {
    if (fd < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return UniqueFd{fd};
}

}  // namespace

EventFdWaker::EventFdWaker() : fd_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

void EventFdWaker::wake() noexcept {
    const std::uint64_t one = 1;
    const ssize_t written = ::write(fd_.get(), &one, sizeof(one));
    IOTSKY_ASSERT(written == sizeof(one));
}

Poller::Poller(const PollerOptions& options, const Clock& clock)
    : options_(options), clock_(clock), epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
    const SlotRef ref = take_slot(Kind::waker);
    if (!watch(waker_.fd(), ref, EPOLLIN | EPOLLET)) {
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
}

Poller::~Poller() {
    // Transports may outlive the loop that served them (the sink owns them): they lose their host.
    for (Slot& slot : slots_) {
        if (slot.transport != nullptr) {
            slot.transport->poller_ = nullptr;
        }
    }
}

void Poller::turn() {
    const TimePoint begin = clock_.now();
    buffers_.now = begin;
    sink_->begin_turn(begin, clock_.wall_now());
    collect_events();
    run_handshakes();
    read_ready();
    expire();
    tell_folded_failures();
    sink_->on_time();
    sink_->commit_turn();
    sink_->flush();
    counters_.turns.add();
    const auto length = std::chrono::nanoseconds(clock_.now() - begin);
    counters_.turn_seconds.record_ns(static_cast<std::uint64_t>(length.count()));
}

bool Poller::has_work() const {
    return !ready_.empty() || !handshakes_.empty() || more_events_ || sink_->has_work();
}

std::optional<TimePoint> Poller::next_deadline() const {
    std::optional<TimePoint> next = sink_->next_deadline();
    if (!deadlines_.empty() && (!next || deadlines_.top().at < *next)) {
        next = deadlines_.top().at;
    }
    if (tell_at_ && (!next || *tell_at_ < *next)) {
        next = tell_at_;
    }
    return next;
}

void Poller::collect_events() {
    const int n = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), 0);
    IOTSKY_ASSERT(n >= 0 || errno == EINTR);
    more_events_ = n == static_cast<int>(events_.size());
    for (int i = 0; i < n; ++i) {
        on_event(events_[static_cast<std::size_t>(i)]);
    }
}

void Poller::on_event(const ::epoll_event& event) {
    const auto ref = std::bit_cast<SlotRef>(event.data.u64);
    Slot* slot = find(ref);
    if (slot == nullptr) {
        return;  // an event of a descriptor that moved or was closed in this turn
    }
    slot->readable |= (event.events & (EPOLLIN | kHangupEvents)) != 0;
    slot->writable |= (event.events & EPOLLOUT) != 0;
    slot->hangup |= (event.events & kHangupEvents) != 0;
    switch (slot->kind) {
        case Kind::acceptor:
            accept_from(*slot);
            break;
        case Kind::handshake:
        case Kind::connection:
            enqueue(ref.slot);
            break;
        case Kind::linger:
            step_linger(ref.slot);
            break;
        case Kind::waker:
        case Kind::free:
            break;
    }
}

void Poller::accept_from(Slot& slot) {
    for (unsigned i = 0; i < options_.accepts_per_turn; ++i) {
        auto transport = slot.acceptor->next(buffers_.now, counters_);
        if (!transport) {
            return;
        }
        add(std::move(transport));
    }
}

void Poller::add(std::unique_ptr<SocketTransport> transport) {
    if (transport->handshakes()) {
        begin_handshake(std::move(transport));
        return;
    }
    const TimePoint accepted_at = transport->accepted_at();
    static_cast<void>(sink_->open(std::move(transport), accepted_at));
}

void Poller::read_ready() {
    serving_.clear();
    serving_.swap(ready_);
    for (const SlotRef ref : serving_) {
        if (Slot* slot = find(ref); slot != nullptr && slot->kind == Kind::connection) {
            slot->queued = false;
            serve(ref);
        }
    }
}

void Poller::serve(SlotRef ref) {
    const Slot& before = *find(ref);
    if (before.readable && !sink_->reading_paused(before.conn) && !read_once(ref)) {
        return;
    }
    Slot* slot = find(ref);
    if (slot->writable) {
        slot->writable = false;
        if (!slot->transport->send_kept()) {
            sink_->on_peer_closed(slot->conn, broker::CloseReason::peer_closed);
            return;
        }
        sink_->on_writable(slot->conn);
        slot = find(ref);
    }
    if (slot != nullptr && slot->readable && !sink_->reading_paused(slot->conn)) {
        enqueue(ref.slot);
    }
}

bool Poller::read_once(SlotRef ref) {
    Slot& slot = *find(ref);
    const broker::ConnRef conn = slot.conn;
    const ReadResult got = slot.transport->read(buffers_, options_.turn_bytes_max);
    // After a hangup no edge follows, so a short read is not the end of it.
    slot.readable = got.more || (slot.hangup && got.ended == broker::CloseReason::none);
    if (!got.bytes.empty()) {
        counters_.bytes_received.add(got.bytes.size());
        if (!sink_->on_bytes(conn, got.bytes) || find(ref) == nullptr) {
            return false;
        }
    }
    if (got.ended != broker::CloseReason::none) {
        sink_->on_peer_closed(conn, got.ended);
        return false;
    }
    return true;
}

void Poller::expire() {
    while (!deadlines_.empty() && deadlines_.top().at <= buffers_.now) {
        const SlotRef ref = deadlines_.top().ref;
        deadlines_.pop();
        Slot* slot = find(ref);
        if (slot == nullptr) {
            continue;
        }
        if (slot->kind == Kind::handshake) {
            fail_handshake(ref, true);
        } else if (slot->kind == Kind::linger && slot->linger->deadline() <= buffers_.now) {
            free_slot(ref.slot);
        }
    }
}

void Poller::resume(broker::Transport& transport) {
    const auto& socket = static_cast<SocketTransport&>(transport);
    if (socket.poller_ != this) {
        return;
    }
    slots_[socket.slot_].readable = true;  // the edge is gone
    enqueue(socket.slot_);
}

void Poller::stop_accepting() {
    stopping_ = true;
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].kind == Kind::acceptor || slots_[i].kind == Kind::handshake) {
            free_slot(i);
        }
    }
}

}  // namespace iotsky::net
