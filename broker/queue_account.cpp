#include "broker/queue_account.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

/// How soon a session that is full because of others is seen to have room again.
constexpr std::chrono::seconds kLookEvery{1};

bool reaches(std::size_t value, std::size_t most, std::size_t quarters) noexcept {
    return value >= most / 4 * quarters;
}

}  // namespace

void QueueAccount::came(Session& session, std::size_t cost) {
    ++session.queued_messages;
    s_.stats.queued_messages.add();
    add_bytes(session, cost);
}

void QueueAccount::came_stored(Session& session, const QueueSize& size) {
    session.queued_messages = size.messages;
    s_.stats.queued_messages.add(size.messages);
    add_bytes(session, size.bytes);
}

void QueueAccount::went(Session& session, std::size_t cost) {
    --session.queued_messages;
    s_.stats.queued_messages.sub();
    sub_bytes(session, cost);
}

void QueueAccount::release(Session& session, std::size_t bytes) {
    sub_bytes(session, bytes);
}

void QueueAccount::forget(Session& session) {
    s_.stats.queued_messages.sub(std::exchange(session.queued_messages, 0));
    sub_bytes(session, session.queued_bytes);
    s_.shared.pressure.forget(session.ref);
}

void QueueAccount::add_bytes(Session& session, std::size_t bytes) {
    session.queued_bytes += bytes;
    s_.stats.queued_bytes.add(bytes);
    if (session.project_queue != nullptr) {
        session.project_queue->add(s_.id, bytes);
    }
}

void QueueAccount::sub_bytes(Session& session, std::size_t bytes) {
    session.queued_bytes -= bytes;
    s_.stats.queued_bytes.sub(bytes);
    if (session.project_queue != nullptr) {
        session.project_queue->sub(s_.id, bytes);
    }
}

void QueueAccount::join_project(Session& session) {
    if (s_.limits.queue_bytes_per_project_max == 0) {
        return;  // nobody asks
    }
    const std::string_view name = session.identity->class_name.empty()
                                      ? std::string_view{}
                                      : project_of(session.identity->name);
    std::shared_ptr<ProjectQueue> queue = name.empty() ? nullptr : s_.shared.projects.get(name);
    if (queue == session.project_queue) {
        return;
    }
    if (session.project_queue != nullptr) {
        session.project_queue->sub(s_.id, session.queued_bytes);
    }
    session.project_queue = std::move(queue);
    if (session.project_queue != nullptr) {
        session.project_queue->add(s_.id, session.queued_bytes);
    }
}

/// What others queue may be a turn old.
std::size_t QueueAccount::broker_bytes() {
    const std::size_t own = s_.stats.queued_bytes.get();
    if (!queued_elsewhere_) {
        queued_elsewhere_ = s_.shared.queued_bytes() - own;
    }
    return *queued_elsewhere_ + own;
}

Quota QueueAccount::exceeded(const Session& session, std::size_t cost) {
    if (session.queued_bytes + cost > session.queue_bytes_max ||
        session.queued_messages >= session.limits->queue_messages_max) {
        return Quota::session;
    }
    // Those who are away must not hold up those who are here.
    if (!session.keeps_waiting()) {
        return Quota::none;
    }
    if (session.project_queue != nullptr &&
        session.project_queue->bytes() + cost > s_.limits.queue_bytes_per_project_max) {
        return Quota::project;
    }
    const std::size_t broker_max = s_.limits.queue_bytes_broker_max;
    return broker_max != 0 && broker_bytes() + cost > broker_max ? Quota::broker : Quota::none;
}

void QueueAccount::dropped(Session& session, std::string_view topic, DoneWhy why, Quota quota) {
    switch (why) {
        case DoneWhy::quota:
            ++session.dropped_quota;
            s_.stats.dropped_quota.add();
            s_.notices.queue_full(session, topic, quota);
            break;
        case DoneWhy::expired:
            ++session.dropped_expired;
            s_.stats.dropped_expired.add();
            s_.notices.waited_too_long(session, topic);
            break;
        case DoneWhy::denied:
            ++session.dropped_denied;
            s_.stats.dropped_denied.add();
            break;
        case DoneWhy::acknowledged:
        case DoneWhy::session_ended:
            break;
    }
}

void QueueAccount::note_pressure(Session& session) {
    if (!s_.watches_pressure) {
        return;
    }
    const Pressure now = pressure_of(session);
    if (now != session.pressure) {
        session.pressure = now;
        s_.shared.pressure.set(session.ref, now);
    }
}

Pressure QueueAccount::pressure_of(Session& session) {
    const auto own_reach = [&](std::size_t quarters) {
        return reaches(session.queued_bytes, session.queue_bytes_max, quarters) ||
               session.queued_messages >= (session.limits->queue_messages_max * quarters + 3) / 4;
    };
    const std::size_t full_from = session.pressure == Pressure::full ? 3 : 4;
    if (own_reach(full_from)) {
        return Pressure::full;
    }
    if (shared_quotas_reach(session, full_from)) {
        if (!std::exchange(session.looks_at_shared_quotas, true)) {
            look_again_.push_back(session.ref);
        }
        return Pressure::full;
    }
    return session.connection != nullptr && own_reach(2) ? Pressure::half : Pressure::none;
}

bool QueueAccount::shared_quotas_reach(const Session& session, std::size_t quarters) {
    if (!session.keeps_waiting()) {
        return false;
    }
    const std::size_t broker_max = s_.limits.queue_bytes_broker_max;
    return (session.project_queue != nullptr &&
            reaches(session.project_queue->bytes(), s_.limits.queue_bytes_per_project_max,
                    quarters)) ||
           (broker_max != 0 && reaches(broker_bytes(), broker_max, quarters));
}

void QueueAccount::on_time(TimePoint now) {
    if (look_again_.empty() || now < next_look_) {
        return;
    }
    next_look_ = now + kLookEvery;
    for (const SessionRef ref : std::exchange(look_again_, {})) {
        if (Session* session = s_.sessions.find(ref)) {
            session->looks_at_shared_quotas = false;
            note_pressure(*session);
        }
    }
}

std::optional<TimePoint> QueueAccount::next() const noexcept {
    return look_again_.empty() ? std::nullopt : std::optional{next_look_};
}

}  // namespace iotsky::broker
