#include "provisioning/refusal_log.hpp"

#include <algorithm>

namespace iotsky::provisioning {
namespace {

bool same(const Refusal& a, const Refusal& b) {
    return a.number == b.number && a.action == b.action && a.topic == b.topic &&
           a.client_id == b.client_id && a.thing_id == b.thing_id && a.identity == b.identity;
}

bool matches(const Refusal& refusal, const RefusalQuery& query) {
    return refusal.seq > query.after &&
           (query.thing_id.empty() || refusal.thing_id == query.thing_id) &&
           (query.class_name.empty() || refusal.class_name == query.class_name);
}

/// The address without its port: a new port each try must not mean a new ring.
std::string host_of(const std::string& address) {
    return address.substr(0, address.rfind(':'));
}

}  // namespace

RefusalLog::RefusalLog(const RefusalLogOptions& options) : options_(options) {}

std::string RefusalLog::ring_of(const Refusal& refusal) {
    if (!refusal.thing_id.empty()) {
        return refusal.thing_id;
    }
    return refusal.identity.empty() ? "@" + host_of(refusal.address) : "=" + refusal.identity;
}

bool RefusalLog::fold(Ring& ring, const Refusal& refusal) {
    const auto before = std::find_if(ring.rbegin(), ring.rend(), [&](const Refusal& kept) {
        return same(kept, refusal) && refusal.at - kept.at < options_.fold_within;
    });
    if (before == ring.rend()) {
        return false;
    }
    Refusal folded = std::move(*before);
    ring.erase(std::next(before).base());
    folded.seq = refusal.seq;
    folded.at = refusal.at;
    folded.address = refusal.address;
    folded.count += refusal.count;
    ring.push_back(std::move(folded));
    return true;
}

/// Drops the oldest of the fullest ring.
void RefusalLog::make_room() {
    const auto fullest = std::max_element(
        rings_.begin(), rings_.end(),
        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    fullest->second.pop_front();
    --kept_;
    if (fullest->second.empty()) {
        rings_.erase(fullest);
    }
}

void RefusalLog::add(Refusal refusal) {
    const LockGuard lock(mutex_);
    refusal.seq = ++last_seq_;
    total_ += refusal.count;
    Ring& ring = rings_[ring_of(refusal)];
    if (fold(ring, refusal)) {
        return;
    }
    ring.push_back(std::move(refusal));
    ++kept_;
    if (ring.size() > options_.per_thing_max) {
        ring.pop_front();
        --kept_;
    }
    while (kept_ > options_.total_max) {
        make_room();
    }
}

std::vector<Refusal> RefusalLog::list(const RefusalQuery& query) const {
    std::vector<Refusal> found;
    const LockGuard lock(mutex_);
    for (const auto& [name, ring] : rings_) {
        std::copy_if(ring.begin(), ring.end(), std::back_inserter(found),
                     [&](const Refusal& refusal) { return matches(refusal, query); });
    }
    std::sort(found.begin(), found.end(),
              [](const Refusal& a, const Refusal& b) { return a.seq > b.seq; });
    found.resize(std::min(found.size(), query.limit));
    return found;
}

std::uint64_t RefusalLog::total() const {
    const LockGuard lock(mutex_);
    return total_;
}

}  // namespace iotsky::provisioning
