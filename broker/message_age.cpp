#include "broker/message_age.hpp"

#include "broker/shard_impl.hpp"

namespace iotsky::broker {

void MessageAge::begin_turn() {
    limit_ = s_.limits.queue_age_max;
    if (limit_.count() != 0) {
        old_ = {};
    }
}

bool MessageAge::is_older(ThreadId source, Mid mid) {
    if (mid < s_.shared.first_mid) {
        return s_.time.now - s_.started >= limit_;
    }
    std::optional<Mid>& old = old_[source];
    if (!old) {
        old = s_.shared.ages.old_up_to(source, s_.time.now);
    }
    return mid <= *old;
}

void MessageAge::on_time(TimePoint now) {
    if (limit_.count() == 0) {
        return;
    }
    if (now >= next_note_ && s_.last_mid != noted_) {
        next_note_ = now + s_.shared.ages.interval();
        noted_ = s_.last_mid;
        s_.shared.ages.note(s_.id, noted_, now);
    }
    if (now >= next_sweep_) {
        sweep(now);
    }
}

/// A slice: a turn does not look at all sessions.
void MessageAge::sweep(TimePoint now) {
    for (std::size_t n = 0; n < s_.limits.slice; ++n) {
        if (slot_ >= s_.sessions.slots()) {
            slot_ = 0;
            next_sweep_ = now + s_.shared.ages.interval();
            return;
        }
        Session* session = s_.sessions.at(slot_);
        if (session != nullptr && drop_old(*session)) {
            return;  // the rest of it in the next turn
        }
        ++slot_;
    }
}

bool MessageAge::drop_old(Session& session) {
    if (session.connection != nullptr || session.queued_messages == 0) {
        return false;
    }
    s_.disk_queue.drop_old(session);
    return s_.outbox.drop_old(session);
}

std::optional<TimePoint> MessageAge::next() const {
    if (limit_.count() == 0) {
        return std::nullopt;
    }
    const bool news = s_.last_mid != noted_;
    const bool queues = s_.stats.queued_messages.get() > 0;
    if (!news && !queues) {
        return std::nullopt;
    }
    return !news ? next_sweep_ : !queues ? next_note_ : std::min(next_note_, next_sweep_);
}

}  // namespace iotsky::broker
