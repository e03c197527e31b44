#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/thread.hpp"
#include "broker/net/peer_address.hpp"

namespace iotsky::net {

/// Failures per address and minute, in fixed windows. Only failed handshakes, unfinished CONNECTs
/// and connections without a request are counted, so that a school behind one address is never
/// locked out by its successes. Synchronised: one short leaf lock per accepted connection and per
/// failure.
class AddressLimiter {
  public:
    /// Addresses remembered at once; beyond it new ones are let through uncounted.
    static constexpr std::size_t kAddressesMax = 16'384;

    /// `failures_per_minute_max`: 0 is no limit.
    explicit AddressLimiter(std::uint32_t failures_per_minute_max) noexcept
        : max_(failures_per_minute_max) {}

    /// Another limit, for windows that run as well. Thread: any.
    void set_max(std::uint32_t failures_per_minute_max) noexcept {
        max_.store(failures_per_minute_max, std::memory_order_relaxed);
    }
    /// Whether a new connection of this address may go on.
    [[nodiscard]] bool allows(const AddressKey& address, TimePoint now);
    /// `unused`: TLS that nothing was asked over. Browsers open connections ahead, so it takes
    /// kUnusedPerFailure of them to count as a failure.
    enum class Kind : std::uint8_t { failure, unused };
    static constexpr std::uint64_t kUnusedPerFailure = 8;
    /// True for the one that reaches the limit (worth one log line).
    bool count(const AddressKey& address, Kind kind, TimePoint now);

  private:
    struct Window {
        TimePoint begin;
        std::uint64_t weight = 0;  ///< kUnusedPerFailure for each failure
    };
    struct KeyHash {
        std::size_t operator()(const AddressKey& key) const noexcept;
    };
    void forget_old(TimePoint now) IOTSKY_REQUIRES(mutex_);

    std::atomic<std::uint32_t> max_;
    Mutex mutex_;
    std::unordered_map<AddressKey, Window, KeyHash> windows_ IOTSKY_GUARDED_BY(mutex_);
};

}  // namespace iotsky::net
