#include "api/bundle/tickets.hpp"

#include <algorithm>

#include "base/id.hpp"

namespace iotsky::api {
namespace {

constexpr std::string_view kPrefix = "tk";

}  // namespace

std::string BundleTickets::put(std::string thing_id, BundleInput bundle) {
    const LockGuard lock{mutex_};
    const TimePoint now = clock_.now();
    sweep_locked(now);
    make_room();
    std::string ticket = Id::random(random_).format(kPrefix);
    kept_.emplace(ticket, Kept{std::move(thing_id), std::move(bundle), now + options_.life});
    return ticket;
}

std::optional<BundleInput> BundleTickets::take(const std::string& thing_id,
                                               const std::string& ticket) {
    const LockGuard lock{mutex_};
    const auto found = kept_.find(ticket);
    if (found == kept_.end() || found->second.until <= clock_.now() ||
        found->second.thing_id != thing_id) {
        return std::nullopt;
    }
    BundleInput bundle = std::move(found->second.bundle);
    kept_.erase(found);
    return bundle;
}

void BundleTickets::sweep() {
    const LockGuard lock{mutex_};
    sweep_locked(clock_.now());
}

void BundleTickets::sweep_locked(TimePoint now) {
    std::erase_if(kept_, [now](const auto& entry) { return entry.second.until <= now; });
}

void BundleTickets::make_room() {
    if (kept_.size() < options_.tickets_max) {
        return;
    }
    kept_.erase(
        std::ranges::min_element(kept_, {}, [](const auto& entry) { return entry.second.until; }));
}

}  // namespace iotsky::api
