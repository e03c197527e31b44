#include "broker/message_age.hpp"

#include "broker/shard_impl.hpp"

namespace iotsky::broker {

void MessageAge::begin_turn() {
    limit_ = s_.limits.queue_age_max;
    if (limit_.count() != 0) {
        old_ = {};
    }
}

bool MessageAge::is_older(Mid mid) {
    if (mid < s_.shared.first_mid) {
        return s_.time.now - s_.started >= limit_;
    }
    const auto thread = static_cast<ThreadId>(mid & 0xffU);
    std::optional<Mid>& old = old_[thread];
    if (!old) {
        old = s_.shared.ages.old_up_to(thread, s_.time.now);
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
        next_sweep_ = now + s_.shared.ages.interval();
        s_.sessions.for_each([this](Session& session) { sweep(session); });
    }
}

void MessageAge::sweep(Session& session) {
    if (session.connection == nullptr && session.queued_messages > 0) {
        s_.delivery.drop_old(session);
        s_.disk_queue.drop_old(session);
    }
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
