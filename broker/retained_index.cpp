#include "broker/retained_index.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/fence.hpp"
#include "base/siphash.hpp"
#include "base/thread.hpp"
#include "broker/mqtt/topic.hpp"
#include "broker/topic_prefix.hpp"

namespace iotsky::broker {
namespace {

/// A place in the ordered set. The message may be replaced by another one of the same topic.
struct Place {
    explicit Place(RetainedPtr first) : topic(first->topic), message(std::move(first)) {}
    /// Returns what was there before, so that it is freed after the lock.
    RetainedPtr replace(RetainedPtr next) const noexcept {
        topic = next->topic;
        return std::exchange(message, std::move(next));
    }

    mutable std::string_view topic;  ///< the message's own: comparing does not touch the message
    mutable RetainedPtr message;
};

struct ByTopic {
    using is_transparent = void;
    static std::string_view topic(const Place& place) noexcept { return place.topic; }
    static std::string_view topic(std::string_view topic) noexcept { return topic; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const noexcept {
        return topic(a) < topic(b);
    }
};

using Places = std::set<Place, ByTopic>;

/// What one message costs: its texts, itself with its counters, its node in the set.
std::size_t cost(const Retained& message) noexcept {
    constexpr std::size_t kFixed = sizeof(Retained) + 16 + sizeof(Place) + 48;
    return kFixed + message.topic.size() + message.payload.size() + message.publisher.size();
}

/// Counts `fresh` for its owner, unless it only replaces one that counts for the same.
bool count_for_owner(const Retained* old, const Retained& fresh, std::uint32_t most) noexcept {
    if (!fresh.owner || (old != nullptr && old->owner == fresh.owner)) {
        return true;
    }
    if (fresh.owner->retained.fetch_add(1, std::memory_order_relaxed) < most) {
        return true;
    }
    fresh.owner->retained.fetch_sub(1, std::memory_order_relaxed);
    return false;
}

/// `gone` does not count any more, unless `next` has taken its place for the same owner.
void uncount_for_owner(const Retained& gone, const Retained* next) noexcept {
    if (gone.owner && (next == nullptr || next->owner != gone.owner)) {
        gone.owner->retained.fetch_sub(1, std::memory_order_relaxed);
    }
}

}  // namespace

struct RetainedIndex::Shard {
    /// Both return what was there before, so that it is freed after the lock.
    RetainedPtr store(Places::const_iterator at, RetainedPtr fresh) IOTSKY_REQUIRES(mutex) {
        if (at == places.end()) {
            places.emplace(std::move(fresh));
            return nullptr;
        }
        return at->replace(std::move(fresh));  // of any QoS [MQTT-3.3.1-5], [MQTT-3.3.1-7]
    }
    RetainedPtr remove(Places::const_iterator at) IOTSKY_REQUIRES(mutex) {
        RetainedPtr gone;
        if (at != places.end()) {
            gone = std::move(at->message);
            places.erase(at);  // [MQTT-3.3.1-10], [MQTT-3.3.1-11]
        }
        return gone;
    }

    mutable SharedMutex mutex;
    Places places IOTSKY_GUARDED_BY(mutex);
};

/// What a filter with a wildcard makes us look at.
struct RetainedIndex::Scan {
    Scan(std::string_view wanted, Rev newest) noexcept
        : filter(wanted), rev_max(newest), literal(filter.substr(0, filter.find_first_of("+#"))) {
        if (!literal.empty() && filter.substr(literal.size()) == "#") {
            parent = literal.substr(0, literal.size() - 1);  // "a/#" includes "a"
        }
        const std::string_view prefix = topic_prefix(filter);
        if (prefix.size() <= literal.size()) {
            begin_shard = shard_number(prefix);
            end_shard = begin_shard + 1;
        }
    }
    [[nodiscard]] bool covers(std::string_view topic) const noexcept {
        return topic.starts_with(literal) || (!parent.empty() && topic == parent);
    }
    [[nodiscard]] Places::const_iterator first(const Places& places) const {
        const auto at = parent.empty() ? places.end() : places.find(parent);
        return at == places.end() ? places.lower_bound(literal) : at;
    }
    [[nodiscard]] Places::const_iterator after(const Places& places, std::string_view topic) const {
        // The parent; between "a" and "a/" lie "a-b" and others that are none of ours.
        return topic.size() < literal.size() ? places.lower_bound(literal)
                                             : places.upper_bound(topic);
    }

    std::string_view filter;
    Rev rev_max;
    std::string_view literal;  ///< what every topic below starts with; empty or with '/' at its end
    std::string_view parent;   ///< one topic more, before all others; empty: none
    std::size_t begin_shard = 0;
    std::size_t end_shard = kShards;
};

RetainedIndex::RetainedIndex(Limits limits) : limits_(limits) {
    for (auto& shard : shards_) {
        shard = std::make_unique<Shard>();
    }
}

RetainedIndex::~RetainedIndex() = default;

std::size_t RetainedIndex::shard_number(std::string_view topic) noexcept {
    return siphash13(process_hash_key(), topic_prefix(topic)) % kShards;
}

/// Counts `fresh` in and `old` out, if the limits allow it. Two that race at the limit may both be
/// refused.
bool RetainedIndex::reserve(const Retained* old, const Retained& fresh) noexcept {
    if (old == nullptr && count_.fetch_add(1, std::memory_order_relaxed) >= limits_.messages_max) {
        count_.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }
    const std::size_t out = old == nullptr ? 0 : cost(*old);
    const std::size_t in = cost(fresh);
    if (in <= out) {
        bytes_.fetch_sub(out - in, std::memory_order_relaxed);
        return true;
    }
    const std::size_t growth = in - out;
    if (bytes_.fetch_add(growth, std::memory_order_relaxed) + growth <= limits_.bytes_max) {
        return true;
    }
    bytes_.fetch_sub(growth, std::memory_order_relaxed);
    count_.fetch_sub(old == nullptr ? 1 : 0, std::memory_order_relaxed);
    return false;
}

void RetainedIndex::count_out(const Retained& gone) noexcept {
    uncount_for_owner(gone, nullptr);
    count_.fetch_sub(1, std::memory_order_relaxed);
    bytes_.fetch_sub(cost(gone), std::memory_order_relaxed);
}

RetainedIndex::PutResult RetainedIndex::put(Retained message, std::uint32_t owner_max) {
    const auto fresh = std::make_shared<Retained>(std::move(message));
    const bool clears = fresh->payload.empty();
    Shard& shard = *shards_[shard_number(fresh->topic)];
    RetainedPtr old;
    {
        const LockGuard lock(shard.mutex);
        const auto at = shard.places.find(std::string_view(fresh->topic));
        const Retained* known = at == shard.places.end() ? nullptr : at->message.get();
        if (!clears && !count_for_owner(known, *fresh, owner_max)) {
            return {Put::owner_full, 0};
        }
        if (!clears && !reserve(known, *fresh)) {
            uncount_for_owner(*fresh, known);
            return {Put::full, 0};
        }
        fresh->rev = rev_.fetch_add(1, std::memory_order_acq_rel) + 1;
        old = clears ? shard.remove(at) : shard.store(at, fresh);
    }
    if (old && clears) {
        count_out(*old);
    } else if (old) {
        uncount_for_owner(*old, fresh.get());
    }
    full_fence();
    return {clears ? Put::cleared : Put::stored, fresh->rev};
}

void RetainedIndex::restore(Retained message) {
    const auto fresh = std::make_shared<Retained>(std::move(message));
    Rev seen = rev_.load(std::memory_order_relaxed);
    while (seen < fresh->rev && !rev_.compare_exchange_weak(seen, fresh->rev)) {
    }
    Shard& shard = *shards_[shard_number(fresh->topic)];
    RetainedPtr old;
    {
        const LockGuard lock(shard.mutex);
        const auto at = shard.places.find(std::string_view(fresh->topic));
        if (at != shard.places.end() && at->message->rev >= fresh->rev) {
            return;
        }
        const bool clears = fresh->payload.empty();
        old = clears ? shard.remove(at) : shard.store(at, fresh);
        if (!clears) {
            (void)count_for_owner(nullptr, *fresh, UINT32_MAX);
            count_.fetch_add(1, std::memory_order_relaxed);
            bytes_.fetch_add(cost(*fresh), std::memory_order_relaxed);
        }
    }
    if (old) {
        count_out(*old);
    }
}

RetainedPtr RetainedIndex::get(std::string_view topic) const {
    const Shard& shard = *shards_[shard_number(topic)];
    const SharedLockGuard lock(shard.mutex);
    const auto at = shard.places.find(topic);
    return at == shard.places.end() ? nullptr : at->message;
}

/// Goes on in the cursor's shard; false when the budget of visits ended before the shard did.
bool RetainedIndex::match_shard(const Scan& scan, Cursor& cursor, std::size_t& visits_left,
                                std::vector<RetainedPtr>& out) const {
    const Shard& shard = *shards_[cursor.shard];
    const SharedLockGuard lock(shard.mutex);
    auto at = cursor.begun ? scan.after(shard.places, cursor.after) : scan.first(shard.places);
    std::string_view last;
    while (at != shard.places.end() && scan.covers(at->topic)) {
        if (visits_left == 0) {
            if (!last.empty()) {
                cursor.after = last;
                cursor.begun = true;
            }
            return false;
        }
        --visits_left;
        const RetainedPtr& message = at->message;
        if (message->rev <= scan.rev_max && mqtt::matches(scan.filter, at->topic)) {
            out.push_back(message);
        }
        last = at->topic;
        at = last.size() < scan.literal.size() ? scan.after(shard.places, last) : std::next(at);
    }
    return true;
}

void RetainedIndex::match(std::string_view filter, Rev rev_max, Cursor& cursor,
                          std::size_t visits_max, std::vector<RetainedPtr>& out) const {
    if (!mqtt::has_wildcard(filter)) {
        if (RetainedPtr found = get(filter); found && found->rev <= rev_max) {
            out.push_back(std::move(found));
        }
        cursor.done = true;
        return;
    }
    const Scan scan(filter, rev_max);
    cursor.shard = std::max(cursor.shard, scan.begin_shard);
    while (cursor.shard < scan.end_shard) {
        if (!match_shard(scan, cursor, visits_max, out)) {
            return;
        }
        ++cursor.shard;
        cursor.begun = false;
    }
    cursor.done = true;
}

}  // namespace iotsky::broker
