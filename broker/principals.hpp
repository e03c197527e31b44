#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/siphash.hpp"
#include "base/thread.hpp"
#include "broker/rate_bucket.hpp"

namespace iotsky::broker {

/// What all connections of one identity use up together, on whatever threads they are. Any thread:
/// atomics, touched once a turn and never per message.
struct Principal {
    RateBucket publishes;
    std::atomic<std::uint32_t> retained{0};  ///< messages in the retained index that it set
    /// PUBLISHes from and to its connections that have ended.
    std::atomic<std::uint64_t> messages{0};
};

/// The principals that somebody counts for, by Identity::name. Synchronised; asked when a client
/// connects or its rights change.
class Principals {
  public:
    /// The one of this name, made if there is none.
    [[nodiscard]] std::shared_ptr<Principal> get(std::string_view name, TimePoint now);
    [[nodiscard]] std::size_t size() const;
    /// `Principal::messages` of all that are remembered, by name.
    [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> messages() const;

  private:
    void sweep(TimePoint now) IOTSKY_REQUIRES(mutex_);

    static constexpr std::size_t kSweepFrom = 1024;

    mutable Mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<Principal>, KeyedHash, std::equal_to<>> by_name_
        IOTSKY_GUARDED_BY(mutex_);
    std::size_t sweep_at_ IOTSKY_GUARDED_BY(mutex_) = kSweepFrom;
};

}  // namespace iotsky::broker
