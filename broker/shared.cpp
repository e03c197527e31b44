#include "broker/shared.hpp"

#include <utility>

#include "base/assert.hpp"
#include "base/bytes.hpp"

namespace iotsky::broker {

namespace {

/// The path of the thing in whose tree the topic lies, "class/project/thing"; nothing for the
/// shared topics of a class. What the log holds does not name who set a retained message, so after
/// a restart its place says whose it is.
std::string_view thing_of(std::string_view topic) noexcept {
    const std::size_t class_end = topic.find('/');
    const std::size_t project_end =
        class_end == std::string_view::npos ? class_end : topic.find('/', class_end + 1);
    if (project_end == std::string_view::npos) {
        return {};
    }
    return topic.substr(0, topic.find('/', project_end + 1));
}

}  // namespace

Shared::Shared(Options o, unsigned thread_count, DurableLog& l, IdentityDirectory& i,
               RefusalSink& r, Random& rnd)
    : options(std::move(o)),
      threads(thread_count),
      log(l),
      identities(i),
      refusals(r),
      random(rnd),
      retained(RetainedIndex::Limits{options.retained_messages_max, options.retained_bytes_max}),
      projects(thread_count),
      ages(thread_count, options.limits.queue_age_max),
      pressure(thread_count),
      recovering(thread_count) {
    IOTSKY_ASSERT(threads >= 1 && threads <= kThreadsMax);
    const LogCounters counters = log.counters();
    next_sid = counters.sid + 1;
    uptime_before_s = counters.uptime_s;
    next_message_block = (counters.mid >> 8U) / kMessageBlock + 1;
    first_mid = (next_message_block * kMessageBlock) << 8U;
    log.recover_retained([this](const StoredRetained& stored) {
        const std::string_view owner = thing_of(stored.topic);
        retained.restore({std::string{stored.topic},
                          std::string{as_text(stored.payload)},
                          stored.qos,
                          stored.rev,
                          {},
                          {},
                          owner.empty() ? nullptr : principals.get(owner, {})});
    });
    for (unsigned t = 0; t < threads; ++t) {
        mailboxes.push_back(std::make_unique<Mailbox>());
        lanes.push_back(std::make_shared<ControlLane>());
        stats.push_back(std::make_unique<ShardStats>());
    }
    other_listeners_.limits = static_cast<const ConnectionLimits&>(options.limits);
    some_relaxed = options.limits.durability != Durability::durable;
    for (const auto& [name, limits] : options.listeners) {
        listeners_[name].limits = limits;
        some_relaxed = some_relaxed || limits.durability != Durability::durable;
    }
}

ListenerState& Shared::listener(std::string_view name) noexcept {
    const auto found = listeners_.find(name);
    return found == listeners_.end() ? other_listeners_ : found->second;
}

}  // namespace iotsky::broker
