#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/siphash.hpp"
#include "broker/subscriber.hpp"
#include "broker/topic_prefix.hpp"

namespace iotsky::broker {

/// The generations that a route entry depends on: of the topic's first two levels, and of all
/// filters with a wildcard there. An entry is valid while both are unchanged.
struct RouteStamp {
    std::uint64_t prefix = 0;
    std::uint64_t wildcard = 0;
    friend bool operator==(const RouteStamp&, const RouteStamp&) = default;
};

/// Topic Filters -> subscribers: exact filters in a hash, wildcard filters in a trie, in 64 shards
/// by the first two levels and one for filters with a wildcard there (`dataplane.md` 3).
/// Synchronised: a shard's lock is shared for match() and exclusive for changes; touched only by
/// SUBSCRIBE, UNSUBSCRIBE and route-cache misses.
///
/// Order with retained messages: insert() bumps the generation inside the lock and fences (seq_cst)
/// after it; a publisher updates the retained index, fences, then calls stamp().
class TopicIndex {
  public:
    TopicIndex();
    ~TopicIndex();

    /// Adds, or replaces the subscription of the same session, filter and form. `filter` is
    /// canonical and valid.
    void insert(std::string_view filter, const Subscriber& subscriber);
    /// False if there was none.
    bool erase(std::string_view filter, SessionRef session, Form form);

    /// Every subscription whose filter matches `topic` [MQTT-4.7.1-*, 4.7.2-1], in no order,
    /// duplicates of one session included; returns the stamp read under the locks before the
    /// look-up.
    [[nodiscard]] RouteStamp match(std::string_view topic, std::vector<Subscriber>& out) const;
    /// The stamp that a valid route entry of `topic` must have now. Two acquire loads and a short
    /// hash.
    [[nodiscard]] RouteStamp stamp(std::string_view topic) const noexcept {
        return stamp(prefix_slot(topic));
    }
    /// The same with the hash already known (route cache): see prefix_slot().
    [[nodiscard]] RouteStamp stamp(std::uint32_t prefix_slot) const noexcept {
        return {prefix_generations_[prefix_slot].load(std::memory_order_acquire),
                wildcard_generation_.load(std::memory_order_acquire)};
    }
    [[nodiscard]] static std::uint32_t prefix_slot(std::string_view topic) noexcept {
        return static_cast<std::uint32_t>(siphash13(process_hash_key(), topic_prefix(topic)) %
                                          kGenerations);
    }
    /// Invalidates every route entry: one bump instead of thousands (more than 64 principals
    /// changed).
    void bump_all();

    /// Subscriptions.
    [[nodiscard]] std::size_t size() const noexcept {
        return size_.load(std::memory_order_relaxed);
    }
    /// Nodes, lists and texts in use.
    [[nodiscard]] std::size_t parts_for_test() const;

  private:
    struct Shard;
    struct Home;
    static constexpr std::size_t kShards = 64;
    static constexpr std::size_t kGenerations =
        1024;  // a multiple: a generation belongs to one shard
    [[nodiscard]] Home home_of(std::string_view filter) noexcept;

    std::array<std::unique_ptr<Shard>, kShards + 1>
        shards_;  // the last: a wildcard in the first two levels
    std::array<std::atomic<std::uint64_t>, kGenerations> prefix_generations_{};
    std::atomic<std::uint64_t> wildcard_generation_{1};
    std::atomic<std::size_t> size_{0};
};

}  // namespace iotsky::broker
