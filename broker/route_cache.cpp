#include "broker/route_cache.hpp"

#include <algorithm>
#include <tuple>

#include "acl/action.hpp"

namespace iotsky::broker {
namespace {

// One eviction looks at no more places than this, so that a sweep over a large cache of which all
// is in use does not hold up the turn.
constexpr int kLooksMax = 64;

std::tuple<std::uint64_t, Form, TargetKind> key_of(const Target& target) noexcept {
    return {target.session.packed(), target.form, target.kind};
}

}  // namespace

RouteCache::RouteCache(const TopicIndex& index, Limits limits)
    : index_(index), limits_(limits), key_(process_hash_key()) {
    places_.reserve(limits_.entries_max);
}

std::size_t RouteCache::cost(const RouteEntry& entry) noexcept {
    return sizeof(Place) + 16 + entry.topic.size() + entry.targets.size() * sizeof(Target);
}

const RouteEntry& RouteCache::find(std::string_view topic, WallTime wall) {
    const auto hash = static_cast<std::uint32_t>(siphash13(key_, topic) >> 32U);
    const PlaceId known =
        by_topic_.find(hash, [this, topic](PlaceId id) { return place(id).entry.topic == topic; });
    if (known != 0) {
        Place& it = place(known);
        if (it.entry.stamp == index_.stamp(it.entry.prefix_slot)) {
            if (!it.referenced) {  // a line that is only read stays clean
                it.referenced = true;
            }
            ++hits_;
            return it.entry;
        }
    }
    ++misses_;
    build(topic, wall);
    return keep(known, hash);
}

// --- building

void RouteCache::build(std::string_view topic, WallTime wall) {
    built_.topic = topic;
    built_.prefix_slot = TopicIndex::prefix_slot(topic);
    built_.cacheable = true;
    built_.targets.clear();
    found_.clear();
    built_.stamp = index_.match(topic, found_);
    for (const Subscriber& subscriber : found_) {
        admit(subscriber, topic, wall);
    }
    found_.clear();  // holds nobody's rights any longer
    merge();
}

void RouteCache::admit(const Subscriber& subscriber, std::string_view topic, WallTime wall) {
    if (subscriber.masked || subscriber.receive == acl::ReceiveClass::none) {
        return;
    }
    if (subscriber.receive == acl::ReceiveClass::check && subscriber.rights) {
        const acl::Verdict verdict = subscriber.rights->evaluate(acl::Action::receive, topic, wall);
        built_.cacheable = built_.cacheable && verdict.cacheable;
        if (!verdict.allowed) {
            return;
        }
    }
    built_.targets.push_back(
        {subscriber.session, subscriber.sid, subscriber.qos, subscriber.form, subscriber.kind});
}

/// One target per session and form, at the highest QoS [MQTT-3.3.5-1].
void RouteCache::merge() {
    std::vector<Target>& targets = built_.targets;
    std::sort(targets.begin(), targets.end(), [](const Target& a, const Target& b) {
        return std::tuple(key_of(a), b.qos) < std::tuple(key_of(b), a.qos);
    });
    const auto same = [](const Target& a, const Target& b) { return key_of(a) == key_of(b); };
    targets.erase(std::unique(targets.begin(), targets.end(), same), targets.end());
    built_.qos_max_persistent = 0;
    built_.services = false;
    for (const Target& target : targets) {
        built_.services = built_.services || target.kind == TargetKind::service;
        if (target.sid != 0) {
            built_.qos_max_persistent = std::max(built_.qos_max_persistent, target.qos);
        }
    }
    built_.persistent = built_.qos_max_persistent != 0;
}

// --- keeping

/// Puts what was built in its place: the known one of its topic, else a new one.
const RouteEntry& RouteCache::keep(PlaceId known, std::uint32_t hash) {
    const std::size_t bytes = cost(built_);
    if (!built_.cacheable || bytes > limits_.bytes_max || limits_.entries_max == 0) {
        if (known != 0) {
            drop(known);
        }
        return built_;
    }
    PlaceId id = known;
    if (known != 0) {
        bytes_ -= place(known).bytes;
        make_room(bytes, 0, known);
    } else {
        make_room(bytes, 1, 0);
        id = take_place();
        by_topic_.insert(hash, id);
    }
    Place& it = place(id);
    built_.version = it.entry.version + (known == 0 ? 1 : 0);
    it.entry = RouteEntry(built_);  // exactly as large as needed; `built_` keeps its room
    it.bytes = bytes;
    it.hash = hash;
    bytes_ += bytes;
    return it.entry;
}

void RouteCache::make_room(std::size_t bytes, std::size_t entries, PlaceId except) {
    while (by_topic_.size() + entries > limits_.entries_max || bytes_ + bytes > limits_.bytes_max) {
        evict_one(except);
    }
}

/// CLOCK: the first place after the hand that was not used since the hand passed it.
void RouteCache::evict_one(PlaceId except) {
    for (int looks = 0;; ++looks) {
        hand_ = (hand_ + 1) % places_.size();
        const auto id = static_cast<PlaceId>(hand_ + 1);
        Place& it = places_[hand_];
        if (it.bytes == 0 || id == except) {
            continue;
        }
        if (!it.referenced || looks >= kLooksMax) {
            drop(id);
            return;
        }
        it.referenced = false;
    }
}

void RouteCache::drop(PlaceId id) {
    Place& it = place(id);
    by_topic_.erase(it.hash, id);
    bytes_ -= it.bytes;
    const std::uint32_t version = it.entry.version;
    it = {};
    it.entry.version = version;
    free_.push_back(id);
}

RouteCache::PlaceId RouteCache::take_place() {
    if (free_.empty()) {
        places_.emplace_back();
        return static_cast<PlaceId>(places_.size());
    }
    const PlaceId id = free_.back();
    free_.pop_back();
    return id;
}

}  // namespace iotsky::broker
