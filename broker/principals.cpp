#include "broker/principals.hpp"

#include <algorithm>

namespace iotsky::broker {

std::shared_ptr<Principal> Principals::get(std::string_view name, TimePoint now) {
    const LockGuard lock(mutex_);
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
        return found->second;
    }
    if (by_name_.size() >= sweep_at_) {
        sweep(now);
    }
    return by_name_.emplace(std::string{name}, std::make_shared<Principal>()).first->second;
}

/// One that nobody holds and that owes nothing says no more than a new one. A bucket that is not
/// full stays: coming back would otherwise be a way round the limit.
void Principals::sweep(TimePoint now) {
    std::erase_if(by_name_, [now](const auto& entry) {
        return entry.second.use_count() == 1 && entry.second->publishes.full(now);
    });
    sweep_at_ = std::max(kSweepFrom, by_name_.size() * 2);
}

std::vector<std::pair<std::string, std::uint64_t>> Principals::messages() const {
    const LockGuard lock(mutex_);
    std::vector<std::pair<std::string, std::uint64_t>> out;
    out.reserve(by_name_.size());
    for (const auto& [name, principal] : by_name_) {
        out.emplace_back(name, principal->messages.load(std::memory_order_relaxed));
    }
    return out;
}

std::size_t Principals::size() const {
    const LockGuard lock(mutex_);
    return by_name_.size();
}

}  // namespace iotsky::broker
