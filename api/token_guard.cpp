#include "api/token_guard.hpp"

#include <algorithm>

namespace iotsky::api {
namespace {

using std::chrono::seconds;

constexpr seconds kWindow{60};

std::uint64_t hash_of(std::string_view token) {
    return siphash24(process_hash_key(), token);
}

}  // namespace

bool TokenGuard::is_known(std::string_view token) const {
    return std::ranges::find(known_, hash_of(token)) != known_.end();
}

seconds TokenGuard::wait_of(const std::string& address, std::string_view token) const {
    const TimePoint now = clock_.now();
    const LockGuard lock{mutex_};
    const auto found = tries_.find(address);
    if (found == tries_.end() || found->second.until <= now || is_known(token)) {
        return seconds{0};
    }
    return std::chrono::ceil<seconds>(found->second.until - now);
}

void TokenGuard::note_right(std::string_view token) {
    const LockGuard lock{mutex_};
    if (is_known(token)) {
        return;
    }
    if (known_.size() >= kKnownMax) {
        known_.pop_front();
    }
    known_.push_back(hash_of(token));
}

TokenGuard::Tries& TokenGuard::tries_of(const std::string& address, TimePoint now) {
    if (tries_.size() >= kAddressesMax && !tries_.contains(address)) {
        tries_.erase(std::ranges::min_element(
            tries_, {}, [](const auto& entry) { return entry.second.first; }));
    }
    Tries& tries = tries_[address];
    if (tries.wrong == 0 || now - std::max(tries.first, tries.until) >= kWindow) {
        tries = {0, now, {}};
    }
    return tries;
}

seconds TokenGuard::note_wrong(const std::string& address, std::string_view token) {
    const TimePoint now = clock_.now();
    const LockGuard lock{mutex_};
    std::erase(known_, hash_of(token));  // right once, revoked since
    Tries& tries = tries_of(address, now);
    if (++tries.wrong < options_.wrong_max) {
        return seconds{0};
    }
    constexpr std::size_t kDoublingsMax = 12;  // 2^12 s is above the longest wait there is
    const std::size_t doublings = std::min(tries.wrong - options_.wrong_max, kDoublingsMax);
    const seconds wait = std::min(seconds{std::int64_t{1} << doublings}, options_.wait_max);
    tries.until = now + wait;
    return wait;
}

}  // namespace iotsky::api
