#include "broker/shard.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "broker/recovery.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

constexpr std::chrono::seconds kTickEvery{1};

std::optional<TimePoint> earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
    if (!a || !b) {
        return a ? a : b;
    }
    return std::min(*a, *b);
}

}  // namespace

Shard::Impl::Impl(ThreadId thread, Shared& s, TransportHost& h, TimePoint now)
    : id(thread),
      shared(s),
      host(h),
      limits(s.options.limits),
      stats(*s.stats[thread]),
      time{now, {}},
      sessions(thread),
      turn(thread, s.log),
      wheel(now),
      routes(s.index, {s.options.route_entries_max, s.options.route_bytes_max}),
      sender(*this),
      account(*this),
      outbox(*this),
      delivery(*this),
      disk_queue(*this),
      router(*this),
      subscriptions(*this),
      session_end(*this),
      connect_handler(*this),
      protocol(*this),
      rights(*this),
      notices(*this),
      throttle(*this),
      service_calls(*this),
      clones(s.options.limits),
      ages(*this),
      watches_pressure(s.options.limits.queue_full == QueueFull::refuse ||
                       s.options.limits.publish_pacing.count() > 0),
      next_tick(now) {}

Mid Shard::Impl::next_mid() {
    if (message_seq == message_seq_end) {
        message_seq = shared.next_message_block.fetch_add(1, std::memory_order_relaxed) *
                      Shared::kMessageBlock;
        message_seq_end = message_seq + Shared::kMessageBlock;
    }
    last_mid = (message_seq++ << 8U) | id;
    return last_mid;
}

void Shard::Impl::add_work(Session& session) {
    if (!session.in_work_list && !session.replays.empty()) {
        session.in_work_list = true;
        work.push_back(session.ref);
    }
}

void Shard::Impl::do_work() {
    for (const SessionRef ref : std::exchange(work, {})) {
        Session* session = sessions.find(ref);
        if (session == nullptr) {
            continue;
        }
        session->in_work_list = false;
        // What cannot go on now is taken up again when the peer took bytes or acknowledged
        // (Outbox::on_room).
        const std::size_t before = session->replays.size();
        const bool more = subscriptions.replay_slice(*session);
        if (more && (session->replays.size() < before || sender_has_room(*session))) {
            add_work(*session);
        }
    }
}

bool Shard::Impl::sender_has_room(const Session& session) const {
    return session.connection != nullptr && session.connection->open &&
           sender.has_room(*session.connection) && session.queued_messages <= limits.slice;
}

void Shard::Impl::when_durable(std::function<void()> done) {
    turn.wait_for(turn.current());
    waiters.push_back({turn.current(), std::move(done)});
}

void Shard::Impl::answer_waiters() {
    while (!waiters.empty() && waiters.front().turn <= turn.durable()) {
        const auto done = std::move(waiters.front().done);
        waiters.pop_front();
        done();
    }
}

void Shard::Impl::recover() {
    if (!std::exchange(recovered, true)) {
        started = time.now;
        Recovery(*this).run();
    }
    if (!recovered_sessions.empty() && shared.recovering.load(std::memory_order_acquire) == 0) {
        for (const SessionRef ref : std::exchange(recovered_sessions, {})) {
            if (Session* session = sessions.find(ref);
                session != nullptr && session->connection == nullptr) {
                session_end.leave_after_restart(*session);
            }
        }
    }
}

void Shard::Impl::tick_services() {
    if (id != 0 || time.now < next_tick) {
        return;
    }
    next_tick = time.now + kTickEvery;
    for (std::size_t i = 0; i < shared.services.size(); ++i) {
        for (const ServiceReply& reply : shared.services.at(i).on_tick(time.now, time.wall)) {
            (void)router.publish_internal(reply);
        }
    }
}

Shard::Shard(ThreadId id, Shared& shared, TransportHost& host, TimePoint now)
    : impl_(std::make_unique<Impl>(id, shared, host, now)) {}

Shard::~Shard() {
    // Mail that nobody will read holds references to shared payloads; reading it gives them back.
    impl_->shared.lanes[impl_->id]->close();
    impl_->router.discard_mailbox();
    std::vector<std::unique_ptr<ControlMessage>> unread;
    impl_->shared.lanes[impl_->id]->drain(unread);
}

void Shard::begin_turn(TurnTime time) {
    Impl& s = *impl_;
    s.shared.log.turns().begin(s.id);
    s.time = time;
    s.log_full = s.shared.log.pending_bytes() > s.limits.log_pending_bytes_max;
    s.log_keeps_up = !s.shared.some_relaxed || (!s.log_full && s.shared.log.keeps_up());
    s.account.begin_turn();
    s.ages.begin_turn();
    s.recover();
    std::vector<std::unique_ptr<ControlMessage>> control;
    s.shared.lanes[s.id]->drain(control);
    for (const auto& message : control) {
        message->run(*this);
    }
    s.rights.work();
    s.router.drain_mailbox();
    s.rights.after_mail();
    s.turn.advance();
    s.sender.open_gates();
    s.sender.resume_after_log();
    s.answer_waiters();
    s.sender.resume_after_mailbox();
    s.protocol.read_on();
    s.do_work();
}

ConnRef Shard::open(std::unique_ptr<Transport> transport, TimePoint accepted_at) {
    Impl& s = *impl_;
    const PeerInfo& peer = transport->peer();
    ListenerState& listener = s.shared.listener(peer.listener);
    const bool broker_full =
        s.shared.connections.load(std::memory_order_relaxed) >= s.limits.connections_max;
    const bool listener_full =
        listener.connections.load(std::memory_order_relaxed) >= listener.limits.connections_max;
    if (s.shutting_down || broker_full || listener_full) {
        log::warn(
            "E3410", "connection refused: limit reached",
            {{"addr", peer.address},
             {"listener", peer.listener},
             {"limit", broker_full ? s.limits.connections_max : listener.limits.connections_max}});
        transport->close();
        s.closed_transports.push_back(std::move(transport));
        return {};
    }
    const auto bytes_max = static_cast<std::uint32_t>(std::min<std::size_t>(
        listener.limits.pre_connect_bytes_max, listener.limits.packet_bytes_max));
    Connection& c = s.connections.add(std::make_unique<Connection>(
        std::move(transport), s.chunks, listener, bytes_max, accepted_at));
    s.stats.connections.add();
    s.shared.connection_came(listener);
    s.host.attach(*c.transport, c.ref);
    s.protocol.watch(c, accepted_at + listener.limits.connect_timeout);
    return c.ref;
}

Shard::After Shard::on_bytes(ConnRef conn, std::span<const std::byte> bytes) {
    return impl_->protocol.on_bytes(conn, bytes);
}

void Shard::on_writable(ConnRef conn) {
    if (Connection* c = impl_->connections.find(conn); c != nullptr && !c->out.empty()) {
        impl_->sender.mark_dirty(*c);
    }
}

void Shard::on_peer_closed(ConnRef conn, CloseReason reason) {
    Impl& s = *impl_;
    if (Connection* c = s.connections.find(conn)) {
        if (c->state == Connection::State::closing) {
            s.session_end.destroy(*c);
        } else {
            s.session_end.close(*c, reason);
        }
    }
}

bool Shard::reading_paused(ConnRef conn) const noexcept {
    const Connection* c = impl_->connections.find(conn);
    return c == nullptr || c->reading_paused();
}

void Shard::on_time() {
    Impl& s = *impl_;
    (void)s.wheel.advance(s.time.now, s.limits.slice, [&s](ConnRef ref) {
        if (Connection* c = s.connections.find(ref)) {
            s.protocol.on_timer(*c);
        }
    });
    if (s.memory_stage() == MemoryStage::largest) {
        s.delivery.shed_largest();
    }
    s.throttle.on_time(s.time.now);
    s.account.on_time(s.time.now);
    s.ages.on_time(s.time.now);
    s.service_calls.on_time(s.time.now);
    s.session_end.expire(s.time.now);
    s.notices.on_time(s.time.now);
    s.tick_services();
}

void Shard::commit_turn() {
    Impl& s = *impl_;
    const BatchNo batch = s.turn.append();
    if (batch != 0) {
        s.stats.records.add();
    }
    s.router.publish_mail(batch);
    s.disk_queue.send_reads();
}

void Shard::flush() {
    Impl& s = *impl_;
    s.sender.flush();
    s.closed_transports.clear();
    if (s.turn.has_news() || s.router.has_mail() || s.disk_queue.has_reads()) {
        commit_turn();  // room made by writes let more out of queues: their SENT records
    }
    s.shared.log.turns().end(s.id);
}

bool Shard::has_work() const noexcept {
    const Impl& s = *impl_;
    return !s.shared.lanes[s.id]->empty() || !s.shared.mailboxes[s.id]->empty() ||
           s.sender.has_work() || s.protocol.has_work() || !s.work.empty() || s.rights.has_work();
}

bool Shard::may_sleep() {
    Impl& s = *impl_;
    if (has_work()) {
        return false;
    }
    // The turn that just ended may have made something durable without a batch to wait for.
    const TurnNo before = s.turn.durable();
    s.turn.advance();
    if (s.sender.opens_after(before) ||
        (!s.waiters.empty() && s.waiters.front().turn <= s.turn.durable())) {
        return false;
    }
    if (const BatchNo batch = s.turn.waiting_for(); batch != 0) {
        s.turn.log().wake_on(s.id, batch);
        return s.turn.log().durable() < batch;
    }
    return true;
}

std::optional<TimePoint> Shard::next_deadline() const {
    const Impl& s = *impl_;
    auto at = earlier(s.wheel.next(), earlier(s.session_end.next_expiry(), s.notices.next()));
    at = earlier(at, earlier(s.throttle.next(), s.sender.next_look()));
    at = earlier(at, earlier(s.service_calls.next(), s.account.next()));
    at = earlier(at, s.ages.next());
    return s.id == 0 && s.shared.services.size() > 0 ? earlier(at, s.next_tick) : at;
}

void Shard::shut_down() {
    Impl& s = *impl_;
    s.shared.log.turns().begin(s.id);  // Wills may be retained; the next turn appends them
    s.shutting_down = true;
    std::vector<ConnRef> all;
    s.connections.for_each([&](Connection& c) { all.push_back(c.ref); });
    for (const ConnRef ref : all) {
        if (Connection* c = s.connections.find(ref)) {
            s.session_end.close(*c, CloseReason::shutting_down);
        }
    }
}

std::size_t Shard::connections() const noexcept {
    return impl_->connections.size();
}
ThreadId Shard::id() const noexcept {
    return impl_->id;
}

}  // namespace iotsky::broker
