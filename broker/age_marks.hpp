#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/thread.hpp"
#include "broker/ids.hpp"

namespace iotsky::broker {

/// How old queued messages are. The numbers of one io thread's messages rise, so a number that was
/// noted with its time says of every message below it that it is at least as old: nothing is kept
/// per message. Synchronised; a thread notes now and then, any asks once a turn.
class AgeMarks {
  public:
    /// Ages are known up to `age_max` and to a 32nd of it; 0: nothing is noted.
    AgeMarks(unsigned threads, std::chrono::seconds age_max);

    /// Between two notes of a thread.
    [[nodiscard]] std::chrono::milliseconds interval() const noexcept { return interval_; }
    /// Everything that `thread` has published up to `now` has a number up to `last`.
    void note(ThreadId thread, Mid last, TimePoint now);
    /// Messages of `thread` with numbers up to this are as old as `age_max`; 0: none is.
    [[nodiscard]] Mid old_up_to(ThreadId thread, TimePoint now) const;

  private:
    struct Mark {
        TimePoint at;
        Mid last = 0;
    };
    struct Thread {
        mutable Mutex mutex;
        std::deque<Mark> marks IOTSKY_GUARDED_BY(mutex);
    };
    const std::chrono::seconds age_max_;
    const std::chrono::milliseconds interval_;
    std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace iotsky::broker
