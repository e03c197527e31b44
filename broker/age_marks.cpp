#include "broker/age_marks.hpp"

#include <algorithm>

namespace iotsky::broker {
namespace {

constexpr int kMarks = 32;
constexpr std::chrono::milliseconds kIntervalMin{100};

}  // namespace

AgeMarks::AgeMarks(unsigned threads, std::chrono::seconds age_max)
    : age_max_(age_max),
      interval_(std::max(kIntervalMin, std::chrono::milliseconds{age_max} / kMarks)) {
    for (unsigned i = 0; i < threads; ++i) {
        threads_.push_back(std::make_unique<Thread>());
    }
}

void AgeMarks::note(ThreadId thread, Mid last, TimePoint now) {
    Thread& at = *threads_[thread];
    const LockGuard lock(at.mutex);
    at.marks.push_back({now, last});
    // Of those that are old the newest says it all.
    while (at.marks.size() >= 2 && at.marks[1].at + age_max_ <= now) {
        at.marks.pop_front();
    }
}

Mid AgeMarks::old_up_to(ThreadId thread, TimePoint now) const {
    const Thread& at = *threads_[thread];
    const LockGuard lock(at.mutex);
    Mid old = 0;
    for (const Mark& mark : at.marks) {
        if (mark.at + age_max_ > now) {
            break;
        }
        old = mark.last;
    }
    return old;
}

}  // namespace iotsky::broker
