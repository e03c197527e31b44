#include "broker/turn.hpp"

#include <algorithm>

namespace iotsky::broker {

BatchNo TurnLog::append() {
    const Due due = awaited_ >= current_ ? Due::at_once : Due::soon;
    const BatchNo own = records_.empty() ? 0 : log_.append(thread_, records_.take(), due);
    // A cause from another thread was appended before its mail was published, so an own batch is
    // never older.
    const BatchNo batch = std::max(own, foreign_);
    foreign_ = 0;
    if (batch != 0) {
        pending_.push_back({current_, batch});
        last_batch_ = std::max(last_batch_, batch);
    }
    if (own != 0 && due == Due::at_once) {
        hurried_ = awaited_;  // batches become durable in their order: the older ones are due, too
    } else if (must_hurry()) {
        hurry();
    }
    ++current_;
    return own;
}

void TurnLog::hurry() {
    hurried_ = awaited_;
    for (std::size_t i = pending_.size(); i > 0; --i) {
        if (pending_[i - 1].turn <= awaited_) {
            log_.hurry(pending_[i - 1].batch);
            return;
        }
    }
}

void TurnLog::advance() noexcept {
    const BatchNo durable = log_.durable();
    while (!pending_.empty() && pending_[0].batch <= durable) {
        pending_.pop_front();
    }
    durable_ = pending_.empty() ? current_ - 1 : pending_[0].turn - 1;
}

}  // namespace iotsky::broker
