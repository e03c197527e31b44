#include "broker/shared.hpp"

#include "base/assert.hpp"
#include "base/bytes.hpp"

namespace iotsky::broker {

Shared::Shared(Options o, unsigned thread_count, DurableLog& l, IdentityDirectory& i,
               RefusalSink& r, Random& rnd)
    : options(o),
      threads(thread_count),
      log(l),
      identities(i),
      refusals(r),
      random(rnd),
      retained(RetainedIndex::Limits{o.retained_messages_max, o.retained_bytes_max}),
      recovering(thread_count) {
    IOTSKY_ASSERT(threads >= 1 && threads <= kThreadsMax);
    const LogCounters counters = log.counters();
    next_sid = counters.sid + 1;
    next_message_block = (counters.mid >> 8U) / kMessageBlock + 1;
    log.recover_retained([this](const StoredRetained& stored) {
        retained.restore({std::string{stored.topic},
                          std::string{as_text(stored.payload)},
                          stored.qos,
                          stored.rev,
                          {},
                          {}});
    });
    for (unsigned t = 0; t < threads; ++t) {
        mailboxes.push_back(std::make_unique<Mailbox>());
        lanes.push_back(std::make_unique<ControlLane>());
        stats.push_back(std::make_unique<ShardStats>());
    }
}

}  // namespace iotsky::broker
