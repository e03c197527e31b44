#include "broker/session_end.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

constexpr std::chrono::hours kNoteUptimeEvery{1};

bool sends_will(CloseReason reason) noexcept {
    // [MQTT-3.1.2-8]: every close but DISCONNECT [MQTT-3.14.4-3]; and not after a revocation
    // (`decisions.md` 11).
    return reason != CloseReason::client_disconnect && reason != CloseReason::rights_revoked;
}

/// Good packets before a fault (or a DISCONNECT) in the same segment count, so their answers leave.
bool hands_over_last_bytes(CloseReason reason) noexcept {
    switch (reason) {
        case CloseReason::connect_refused:
        case CloseReason::shutting_down:
        case CloseReason::protocol_error:
        case CloseReason::second_connect:
        case CloseReason::client_disconnect:
        case CloseReason::receiver_full:
        case CloseReason::service_timeout:
            return true;
        default:
            return false;
    }
}

}  // namespace

void SessionEnd::fire_will(Session& session) {
    if (!session.will) {  // [MQTT-3.1.2-12]
        return;
    }
    const Will will = std::move(*session.will);
    session.will.reset();  // [MQTT-3.1.2-10]
    if (session.persistent()) {
        s_.record(session, WillOffRecord{session.sid});
    }
    // Checked when it was set, and again with the rights of this moment.
    const auto now = s_.time.wall;
    const bool publish = session.rights->evaluate(acl::Action::publish, will.topic, now).allowed;
    if (!publish ||
        (will.retain &&
         !session.rights->evaluate(acl::Action::retain_publish, will.topic, now).allowed)) {
        const auto action = publish ? acl::Action::retain_publish : acl::Action::publish;
        s_.notices.denied(session, action, will.topic, will.topic, "will");
        return;
    }
    Publication publication;
    publication.topic = will.topic;
    publication.payload = as_bytes(will.payload);
    publication.qos = will.qos;
    publication.retain = will.retain;  // [MQTT-3.1.2-16], [MQTT-3.1.2-17]
    publication.publisher_name = session.identity->name;
    publication.will_of = &session;
    (void)s_.router.publish(publication);
}

void SessionEnd::leave(Session& session, CloseReason reason) {
    session.connection = nullptr;
    s_.disk_queue.park(session);
    s_.account.note_pressure(session);
    session.replays.clear();
    if (sends_will(reason)) {
        fire_will(session);
    } else if (session.will) {
        session.will.reset();  // [MQTT-3.1.2-10]
        if (session.persistent()) {
            s_.record(session, WillOffRecord{session.sid});
        }
    }
    if (!session.kept) {
        end_session(session);
        return;
    }
    if (!session.expires_at) {  // else it was away before a restart, too
        session.expires_at = s_.time.now + s_.limits.session_expiry;  // [MQTT-4.1.0-1]
        if (session.persistent()) {
            // Not part of what its acknowledgements wait for.
            (void)s_.turn.add(SessionAwayRecord{session.sid, s_.uptime_s()});
        }
    }
    note_expiry(session);
}

void SessionEnd::come_back(Session& session) {
    if (session.expires_at) {
        session.expires_at.reset();
        if (session.persistent()) {
            (void)s_.turn.add(SessionAwayRecord{session.sid, std::nullopt});  // as in leave()
        }
    }
}

TimePoint SessionEnd::expiry_of(std::uint64_t away_since_s) const {
    const std::uint64_t uptime_s = s_.uptime_s();
    const std::chrono::seconds away{uptime_s - std::min(uptime_s, away_since_s)};
    return s_.time.now + std::max(s_.limits.session_expiry - away, std::chrono::seconds{0});
}

void SessionEnd::note_expiry(Session& session) {
    if (!std::exchange(session.expiry_noted, true)) {
        expiries_.push({*session.expires_at, session.ref});
    }
}

void SessionEnd::leave_after_restart(Session& session) {
    leave(session, CloseReason::peer_closed);
}

void SessionEnd::close(Connection& c, CloseReason reason) {
    if (c.state == Connection::State::closing) {
        return;
    }
    c.state = Connection::State::closing;
    c.close_reason = reason;
    if (reason == CloseReason::client_disconnect) {
        c.gate.keep_answers();
    } else {
        c.gate.clear();
    }
    s_.stats.disconnects.add();
    if (Session* session = std::exchange(c.session, nullptr)) {
        log::info("", "client left",
                  {{"client", session->key.client_id},
                   {"thing", session->identity->name},
                   {"addr", c.transport->peer().address},
                   {"reason", to_string(reason)}});
        if (session->principal) {
            session->principal->messages.fetch_add(c.publishes_in + c.publishes_out,
                                                   std::memory_order_relaxed);
        }
        leave(*session, reason);
    }
    if (hands_over_last_bytes(reason) && c.owes_bytes()) {
        c.blocked_since = s_.time.now;
        s_.protocol.watch(c, s_.time.now + s_.limits.linger_timeout);
        s_.sender.mark_dirty(c);
        return;
    }
    destroy(c);
}

void SessionEnd::destroy(Connection& c) {
    c.transport->close();  // while its loop knows it: the last bytes may take a while
    s_.host.detach(*c.transport);
    s_.closed_transports.push_back(std::move(c.transport));
    s_.stats.connections.sub();
    s_.shared.connection_went(c.listener);
    s_.connections.erase(c.ref);
}

// Its retained messages stay [MQTT-3.1.2-7].
void SessionEnd::end_session(Session& session) {
    s_.subscriptions.remove_all(session);
    s_.account.forget(session);
    if (session.persistent()) {
        s_.record(session, SessionEndRecord{session.sid});
    }
    if (session.kept) {
        s_.stats.sessions_persistent.sub();
    }
    s_.stats.sessions.sub();
    s_.shared.sessions.fetch_sub(1, std::memory_order_relaxed);
    s_.sessions.erase(session);
}

void SessionEnd::seal(Session& session) {
    session.sealed = true;
    if (session.connection != nullptr) {
        // A clean session ends inside; a persistent one has to be found again.
        const SessionRef ref = session.ref;
        close(*session.connection, CloseReason::rights_revoked);
        if (Session* left = s_.sessions.find(ref)) {
            end_session(*left);
        }
        return;
    }
    end_session(session);
}

void SessionEnd::expire(TimePoint now) {
    for (std::size_t n = 0; n < s_.limits.slice && !expiries_.empty() && expiries_.top().at <= now;
         ++n) {
        Session* session = s_.sessions.find(expiries_.top().session);
        expiries_.pop();
        if (session == nullptr) {
            continue;
        }
        session->expiry_noted = false;
        if (!session->expires_at) {
            continue;  // came back meanwhile [MQTT-4.1.0-2]
        }
        if (*session->expires_at > now) {
            note_expiry(*session);  // and left again
            continue;
        }
        s_.stats.sessions_expired.add();
        end_session(*session);
    }
    note_uptime(now);
}

/// So that a broker whose clients are all away, and whose plug is pulled each evening, forgets an
/// hour and not the day.
void SessionEnd::note_uptime(TimePoint now) {
    if (!expiries_.empty() && now >= next_note_) {
        next_note_ = now + kNoteUptimeEvery;
        (void)s_.turn.add(UptimeRecord{s_.uptime_s()});
    }
}

std::optional<TimePoint> SessionEnd::next_expiry() const {
    return expiries_.empty() ? std::nullopt
                             : std::optional{std::min(expiries_.top().at, next_note_)};
}

}  // namespace iotsky::broker
