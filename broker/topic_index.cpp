#include "broker/topic_index.hpp"

#include <optional>

#include "base/assert.hpp"
#include "base/fence.hpp"
#include "base/thread.hpp"
#include "broker/filter_table.hpp"
#include "broker/mqtt/topic.hpp"

namespace iotsky::broker {

struct TopicIndex::Shard {
    explicit Shard(FilterTable::FirstStep first) : table(first) {}
    mutable SharedMutex mutex;
    FilterTable table IOTSKY_GUARDED_BY(mutex);
};

/// Where a filter lives, and the generation that its changes bump.
struct TopicIndex::Home {
    Shard& shard;
    std::atomic<std::uint64_t>& generation;

    /// Called under the shard's exclusive lock, so that no stamp is newer than what was found under
    /// it.
    void bump() const noexcept { generation.fetch_add(1, std::memory_order_release); }
};

TopicIndex::TopicIndex() {
    for (std::size_t i = 0; i < kShards; ++i) {
        shards_[i] = std::make_unique<Shard>(FilterTable::FirstStep::two_levels);
    }
    shards_[kShards] = std::make_unique<Shard>(FilterTable::FirstStep::one_level);
}

TopicIndex::~TopicIndex() = default;

TopicIndex::Home TopicIndex::home_of(std::string_view filter) noexcept {
    if (mqtt::has_wildcard(topic_prefix(filter))) {
        return {*shards_[kShards], wildcard_generation_};
    }
    const std::uint32_t slot = prefix_slot(filter);
    return {*shards_[slot % kShards], prefix_generations_[slot]};
}

void TopicIndex::insert(std::string_view filter, const Subscriber& subscriber) {
    const Home home = home_of(filter);
    std::optional<Subscriber> old;  // its rights are freed after the lock
    {
        const LockGuard lock(home.shard.mutex);
        old = home.shard.table.put(filter, subscriber);
        home.bump();
    }
    if (!old) {
        size_.fetch_add(1, std::memory_order_relaxed);
    }
    full_fence();
}

bool TopicIndex::erase(std::string_view filter, SessionRef session, Form form) {
    const Home home = home_of(filter);
    std::optional<Subscriber> old;
    {
        const LockGuard lock(home.shard.mutex);
        old = home.shard.table.erase(filter, session, form);
        if (old) {
            home.bump();
        }
    }
    if (old) {
        size_.fetch_sub(1, std::memory_order_relaxed);
    }
    full_fence();
    return old.has_value();
}

RouteStamp TopicIndex::match(std::string_view topic, std::vector<Subscriber>& out) const {
    RouteStamp stamp;
    const std::uint32_t slot = prefix_slot(topic);
    {
        const Shard& shard = *shards_[slot % kShards];
        const SharedLockGuard lock(shard.mutex);
        stamp.prefix = prefix_generations_[slot].load(std::memory_order_acquire);
        shard.table.match(topic, out);
    }
    const Shard& shard = *shards_[kShards];
    const SharedLockGuard lock(shard.mutex);
    stamp.wildcard = wildcard_generation_.load(std::memory_order_acquire);
    shard.table.match(topic, out);
    return stamp;
}

void TopicIndex::bump_all() {
    wildcard_generation_.fetch_add(1, std::memory_order_release);
    full_fence();
}

std::size_t TopicIndex::parts_for_test() const {
    std::size_t parts = 0;
    for (const auto& shard : shards_) {
        const SharedLockGuard lock(shard->mutex);
        parts += shard->table.parts();
    }
    return parts;
}

}  // namespace iotsky::broker
