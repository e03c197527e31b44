#include "broker/net/address_limiter.hpp"

#include <chrono>
#include <string_view>

#include "base/siphash.hpp"

namespace iotsky::net {
namespace {
constexpr std::chrono::minutes kWindow{1};
}  // namespace

std::size_t AddressLimiter::KeyHash::operator()(const AddressKey& key) const noexcept {
    const std::string_view bytes{reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
    return siphash13(process_hash_key(), bytes);
}

bool AddressLimiter::allows(const AddressKey& address, TimePoint now) {
    const std::uint32_t max = max_.load(std::memory_order_relaxed);
    if (max == 0) {
        return true;
    }
    const LockGuard lock(mutex_);
    const auto it = windows_.find(address);
    return it == windows_.end() || now - it->second.begin >= kWindow ||
           it->second.weight < max * kUnusedPerFailure;
}

bool AddressLimiter::count(const AddressKey& address, Kind kind, TimePoint now) {
    const std::uint32_t max = max_.load(std::memory_order_relaxed);
    if (max == 0) {
        return false;
    }
    const LockGuard lock(mutex_);
    auto it = windows_.find(address);
    if (it == windows_.end()) {
        if (windows_.size() >= kAddressesMax) {
            forget_old(now);
        }
        if (windows_.size() >= kAddressesMax) {
            return false;
        }
        it = windows_.emplace(address, Window{now, 0}).first;
    }
    if (now - it->second.begin >= kWindow) {
        it->second = {now, 0};
    }
    const std::uint64_t limit = max * kUnusedPerFailure;
    const bool below = it->second.weight < limit;
    it->second.weight += kind == Kind::failure ? kUnusedPerFailure : 1;
    return below && it->second.weight >= limit;
}

void AddressLimiter::forget_old(TimePoint now) {
    std::erase_if(windows_,
                  [now](const auto& entry) { return now - entry.second.begin >= kWindow; });
}

}  // namespace iotsky::net
