#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "broker/flat_index.hpp"
#include "broker/topic_index.hpp"

namespace iotsky::broker {

/// Where one message of a topic goes: one per session and form, at the highest QoS of the matching
/// subscriptions [MQTT-3.3.5-1]; those who may not receive are not in it.
struct Target {
    SessionRef session;
    Sid sid = 0;
    std::uint8_t qos = 0;
    Form form = Form::plain;
    TargetKind kind = TargetKind::session;
};

/// The subscribers of one topic, grouped by thread, sorted by slot inside a thread.
struct RouteEntry {
    std::string topic;
    RouteStamp stamp;
    std::uint32_t prefix_slot = 0;
    std::uint32_t version = 0;  ///< grows when this place of the cache gets another topic
    bool cacheable =
        true;  ///< false: a Receive verdict depends on time or address; build again each time
    std::uint8_t qos_max_persistent =
        0;                    ///< highest QoS of a target with sid != 0; 0 with `persistent` false
    bool persistent = false;  ///< some target has sid != 0 and QoS >= 1
    bool services = false;    ///< some target is a service
    std::vector<Target> targets;
};

/// Per-thread cache of route entries, bounded in entries and bytes (CLOCK). Confined to its thread.
class RouteCache {
  public:
    struct Limits {
        std::size_t entries_max = 65536;     ///< 0: nothing is kept
        std::size_t bytes_max = 64U << 20U;  ///< texts, targets and a fixed part per entry
    };
    RouteCache(const TopicIndex& index, Limits limits);

    /// The entry for `topic`, valid now: cached if its stamp still holds, else built (iot:Receive
    /// evaluated for each `check` subscriber at `wall`). Valid until the next call.
    [[nodiscard]] const RouteEntry& find(std::string_view topic, WallTime wall);

    [[nodiscard]] std::size_t entries() const noexcept { return by_topic_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }
    [[nodiscard]] std::uint64_t misses() const noexcept { return misses_; }

  private:
    using PlaceId = std::uint32_t;  ///< position in `places_` + 1; 0: none
    /// Two cache lines: what a look-up compares lies in the first one.
    struct alignas(64) Place {
        RouteEntry entry;
        std::size_t bytes = 0;  ///< 0: free
        std::uint32_t hash = 0;
        bool referenced = false;
    };

    [[nodiscard]] static std::size_t cost(const RouteEntry& entry) noexcept;
    [[nodiscard]] Place& place(PlaceId id) noexcept { return places_[id - 1]; }
    void build(std::string_view topic, WallTime wall);
    void admit(const Subscriber& subscriber, std::string_view topic, WallTime wall);
    void merge();
    const RouteEntry& keep(PlaceId known, std::uint32_t hash);
    void make_room(std::size_t bytes, std::size_t entries, PlaceId except);
    void evict_one(PlaceId except);
    void drop(PlaceId id);
    [[nodiscard]] PlaceId take_place();

    const TopicIndex& index_;
    Limits limits_;
    HashKey key_;
    FlatIndex by_topic_;
    std::vector<Place> places_;  // reserved for entries_max: never moves, pages come with use
    std::vector<PlaceId> free_;
    std::size_t hand_ = 0;
    std::size_t bytes_ = 0;
    RouteEntry built_;               // the one being built, and those that are not kept
    std::vector<Subscriber> found_;  // of the look-up being made
    std::uint64_t hits_ = 0;
    std::uint64_t misses_ = 0;
};

}  // namespace iotsky::broker
