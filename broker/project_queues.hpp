#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/metrics.hpp"
#include "base/siphash.hpp"
#include "base/thread.hpp"
#include "broker/ids.hpp"

namespace iotsky::broker {

/// What the sessions of one project have queued together, on whatever threads they are. Each thread
/// writes a cache line of its own, so a message of one costs the others nothing.
class ProjectQueue {
  public:
    explicit ProjectQueue(unsigned threads) : places_(threads) {}

    /// By the sessions of `thread`; that thread alone.
    void add(ThreadId thread, std::size_t bytes) noexcept { places_[thread].bytes.add(bytes); }
    void sub(ThreadId thread, std::size_t bytes) noexcept { places_[thread].bytes.sub(bytes); }
    /// Any thread; one load per thread.
    [[nodiscard]] std::size_t bytes() const noexcept {
        std::size_t sum = 0;
        for (const Place& place : places_) {
            sum += place.bytes.get();
        }
        return sum;
    }

  private:
    struct alignas(64) Place {
        Count bytes;
    };
    std::vector<Place> places_;
};

/// The queues of projects that have sessions, by "class/project". Synchronised; asked when a client
/// connects, a session is read at start, or a thing moves.
class ProjectQueues {
  public:
    explicit ProjectQueues(unsigned threads) noexcept : threads_(threads) {}

    /// The one of this name, made if there is none.
    [[nodiscard]] std::shared_ptr<ProjectQueue> get(std::string_view project);
    [[nodiscard]] std::size_t size() const;

  private:
    static constexpr std::size_t kSweepFrom = 256;

    const unsigned threads_;
    mutable Mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<ProjectQueue>, KeyedHash, std::equal_to<>>
        by_name_ IOTSKY_GUARDED_BY(mutex_);
    std::size_t sweep_at_ IOTSKY_GUARDED_BY(mutex_) = kSweepFrom;
};

/// "7b/otter" of the thing "7b/otter/weather"; empty for any other name. Pure.
[[nodiscard]] std::string_view project_of(std::string_view thing) noexcept;

}  // namespace iotsky::broker
