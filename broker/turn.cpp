#include "broker/turn.hpp"

#include <algorithm>

namespace iotsky::broker {

BatchNo TurnLog::append() {
    const BatchNo own = records_.empty() ? 0 : log_.append(thread_, records_.take());
    // A cause from another thread was appended before its mail was published, so an own batch is
    // never older.
    const BatchNo batch = std::max(own, foreign_);
    foreign_ = 0;
    if (batch != 0) {
        pending_.push_back({current_, batch});
    }
    ++current_;
    return own;
}

void TurnLog::advance() noexcept {
    const BatchNo durable = log_.durable();
    while (!pending_.empty() && pending_[0].batch <= durable) {
        pending_.pop_front();
    }
    durable_ = pending_.empty() ? current_ - 1 : pending_[0].turn - 1;
}

}  // namespace iotsky::broker
