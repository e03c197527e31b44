#include "broker/shared.hpp"

#include "base/assert.hpp"

namespace iotsky::broker {

Shared::Shared(Options o, unsigned thread_count, DurableLog& l, IdentityDirectory& i,
               RefusalSink& r, Random& rnd)
    : options(o),
      threads(thread_count),
      log(l),
      identities(i),
      refusals(r),
      random(rnd),
      retained(RetainedIndex::Limits{o.retained_messages_max, o.retained_bytes_max}) {
    IOTSKY_ASSERT(threads >= 1 && threads <= kThreadsMax);
    for (unsigned t = 0; t < threads; ++t) {
        mailboxes.push_back(std::make_unique<Mailbox>());
        lanes.push_back(std::make_unique<ControlLane>());
        stats.push_back(std::make_unique<ShardStats>());
    }
}

}  // namespace iotsky::broker
