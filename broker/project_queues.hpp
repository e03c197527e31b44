#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/siphash.hpp"
#include "base/thread.hpp"

namespace iotsky::broker {

/// What the sessions of one project have queued together, on whatever threads they are. Any thread.
struct ProjectQueue {
    std::atomic<std::size_t> bytes{0};
};

/// The queues of projects that have sessions, by "class/project". Synchronised; asked when a client
/// connects, a session is read at start, or a thing moves.
class ProjectQueues {
  public:
    /// The one of this name, made if there is none.
    [[nodiscard]] std::shared_ptr<ProjectQueue> get(std::string_view project);
    [[nodiscard]] std::size_t size() const;

  private:
    static constexpr std::size_t kSweepFrom = 256;

    mutable Mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<ProjectQueue>, KeyedHash, std::equal_to<>>
        by_name_ IOTSKY_GUARDED_BY(mutex_);
    std::size_t sweep_at_ IOTSKY_GUARDED_BY(mutex_) = kSweepFrom;
};

/// "7b/otter" of the thing "7b/otter/weather"; empty for any other name. Pure.
[[nodiscard]] std::string_view project_of(std::string_view thing) noexcept;

}  // namespace iotsky::broker
