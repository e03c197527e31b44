#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "acl/auth_context.hpp"
#include "broker/ids.hpp"

namespace iotsky::broker {

/// One subscription as the index holds it: whom it leads to and with what rights.
struct Subscriber {
    SessionRef session;
    Sid sid = 0;
    std::uint8_t qos = 0;
    Form form = Form::plain;
    TargetKind kind = TargetKind::session;
    bool masked = false;  ///< rights were narrowed: kept, but nothing is delivered until they are granted again
    acl::ReceiveClass receive = acl::ReceiveClass::all;
    std::shared_ptr<const acl::AuthContext> rights;  ///< null: everything may be received (services)
};

/// The generations that a route entry depends on: of the topic's first two levels, and of all filters with a
/// wildcard there. An entry is valid while both are unchanged.
struct RouteStamp {
    std::uint64_t prefix = 0;
    std::uint64_t wildcard = 0;
    friend bool operator==(const RouteStamp&, const RouteStamp&) = default;
};

/// Topic Filters -> subscribers: exact filters in a hash, wildcard filters in a trie, in 64 shards by the first two
/// levels and one for filters with a wildcard there (`dataplane.md` 3). Synchronised: a shard's lock is shared for
/// match() and exclusive for changes; touched only by SUBSCRIBE, UNSUBSCRIBE and route-cache misses.
///
/// Order with retained messages: insert() bumps the generation inside the lock and fences (seq_cst) after it; a
/// publisher updates the retained index, fences, then calls stamp().
class TopicIndex {
  public:
    TopicIndex();
    ~TopicIndex();

    /// Adds, or replaces the subscription of the same session, filter and form. `filter` is canonical and valid.
    void insert(std::string_view filter, const Subscriber& subscriber);
    /// False if there was none.
    bool erase(std::string_view filter, SessionRef session, Form form);
    /// Changes one entry in place (mask, rights, receive) and bumps its generation; false if there is none.
    bool update(std::string_view filter, SessionRef session, Form form,
                const std::function<void(Subscriber&)>& change);

    /// Every subscription whose filter matches `topic` [MQTT-4.7.1-*, 4.7.2-1], in no order, duplicates of one
    /// session included; returns the stamp read under the locks before the look-up.
    [[nodiscard]] RouteStamp match(std::string_view topic, std::vector<Subscriber>& out) const;
    /// The stamp that a valid route entry of `topic` must have now. Two acquire loads and a short hash.
    [[nodiscard]] RouteStamp stamp(std::string_view topic) const noexcept;
    /// The same with the hash already known (route cache): see prefix_slot().
    [[nodiscard]] RouteStamp stamp(std::uint32_t prefix_slot) const noexcept;
    [[nodiscard]] static std::uint32_t prefix_slot(std::string_view topic) noexcept;
    /// Invalidates every route entry: one bump instead of thousands (more than 64 principals changed).
    void bump_all();

    [[nodiscard]] std::size_t size() const noexcept;  ///< subscriptions

  private:
    struct Shard;
    static constexpr std::size_t kShards = 64;
    static constexpr std::size_t kGenerations = 1024;
    std::array<std::unique_ptr<Shard>, kShards + 1> shards_;
    std::array<std::atomic<std::uint64_t>, kGenerations> prefix_generations_{};
    std::atomic<std::uint64_t> wildcard_generation_{1};
    std::atomic<std::size_t> size_{0};
};

}  // namespace iotsky::broker
