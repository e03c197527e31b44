#include "broker/throttle.hpp"

#include <algorithm>

#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

// A client that stays too fast is told again after this; every pause of it is counted.
constexpr std::chrono::seconds kTellEvery{10};

Rate publish_rate(const Session& session) noexcept {
    const ThingLimits& limits = *session.identity->limits;
    return {limits.messages_per_second, limits.burst};
}

bool has_rate(const Connection& c) noexcept {
    return c.session != nullptr && c.session->principal != nullptr;
}

}  // namespace

void Throttle::apply(Session& session, bool changed) {
    const auto& limits = session.identity->limits;
    session.principal =
        limits ? s_.shared.principals.get(session.identity->name, s_.time.now) : nullptr;
    session.queue_bytes_max =
        limits ? std::min(session.limits->queue_bytes_max, limits->queue_bytes_max)
               : session.limits->queue_bytes_max;
    if (changed && session.principal) {
        session.principal->publishes.fill();
    }
    s_.account.join_project(session);
    s_.account.note_pressure(session);
    if (session.connection == nullptr) {
        return;
    }
    Connection& c = *session.connection;
    c.payload_bytes_max = limits ? limits->payload_bytes_max : SIZE_MAX;
    c.publishes_paid = c.publishes_in;
    allow(c);
    if (changed && c.paused_for_rate) {
        s_.sender.set_pause(c, &Connection::paused_for_rate, false);
    }
}

void Throttle::allow(Connection& c) {
    if (!has_rate(c)) {
        c.publishes_stop = UINT64_MAX;
        return;
    }
    // One at least: what lies in the read buffer was taken from the peer, and the debt is paid by a
    // longer pause.
    const std::uint32_t left =
        c.session->principal->publishes.available(publish_rate(*c.session), s_.time.now);
    c.publishes_stop = c.publishes_in + std::max(1U, left);
}

void Throttle::begin_read(Connection& c) {
    if (has_rate(c)) {
        allow(c);
    }
}

void Throttle::end_read(Connection& c) {
    if (has_rate(c) && c.publishes_in != c.publishes_paid) {
        settle(c);
    }
}

void Throttle::settle(Connection& c) {
    Session& session = *c.session;
    const TimePoint next = session.principal->publishes.take(
        publish_rate(session), c.publishes_in - c.publishes_paid, s_.time.now);
    c.publishes_paid = c.publishes_in;
    allow(c);
    if (next <= s_.time.now) {
        return;
    }
    pause(c, next);
    s_.stats.slowed_publish.add();
    if (may_tell(session.publish_slowed_told)) {
        s_.notices.publishes_too_fast(session);
    }
}

void Throttle::count_changes(Connection& c, std::size_t filters) {
    const Rate rate{s_.limits.subscription_changes_per_second,
                    s_.limits.subscription_changes_burst};
    const TimePoint next = c.subscription_changes.take(rate, filters, s_.time.now);
    if (next <= s_.time.now) {
        return;
    }
    pause(c, next);
    s_.stats.slowed_subscribe.add();
    if (may_tell(c.session->subscribe_slowed_told)) {
        s_.notices.subscribes_too_fast(*c.session);
    }
}

bool Throttle::may_tell(TimePoint& last) const {
    if (last != TimePoint{} && s_.time.now < last + kTellEvery) {
        return false;
    }
    last = s_.time.now;
    return true;
}

void Throttle::pause(Connection& c, TimePoint until) {
    if (c.paused_for_rate && c.rate_until >= until) {
        return;
    }
    c.rate_until = until;
    pauses_.push({until, c.ref});
    s_.sender.set_pause(c, &Connection::paused_for_rate, true);
}

void Throttle::pace(Connection& c) {
    if (c.gate_opens_at > s_.time.now) {
        return;  // so that no acknowledgement waits longer than the limit
    }
    c.gate_opens_at = s_.time.now + s_.limits.publish_pacing;
    pauses_.push({c.gate_opens_at, c.ref});
    s_.stats.slowed_receiver.add();
}

void Throttle::on_time(TimePoint now) {
    while (!pauses_.empty() && pauses_.top().until <= now) {
        Connection* c = s_.connections.find(pauses_.top().conn);
        pauses_.pop();
        if (c == nullptr) {
            continue;
        }
        // A longer pause has an entry of its own.
        if (c->paused_for_rate && c->rate_until <= now) {
            s_.sender.set_pause(*c, &Connection::paused_for_rate, false);
        }
        s_.sender.open_gate(*c);
    }
}

std::optional<TimePoint> Throttle::next() const {
    return pauses_.empty() ? std::nullopt : std::optional{pauses_.top().until};
}

}  // namespace iotsky::broker
