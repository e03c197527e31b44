#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>

#include "api/bundle/files.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/thread.hpp"

namespace iotsky::api {

struct TicketOptions {
    std::chrono::minutes life{10};
    std::size_t tickets_max = 2000;  ///< the oldest goes; about 3 KiB each
};

/// Keeps what a call has just made, its private key too, for one download of its bundle: in memory
/// alone, for 10 minutes, once. Synchronised (docs/threading.md).
class BundleTickets {
  public:
    /// Both must outlive it.
    BundleTickets(const Clock& clock, Random& random, TicketOptions options = {})
        : clock_(clock), random_(random), options_(options) {}

    /// @param thing_id  "th_...": the ticket opens this thing's bundle alone.
    /// @return the ticket: 26 characters for a URL.
    [[nodiscard]] std::string put(std::string thing_id, BundleInput bundle);
    /// Takes it away. nullopt: unknown, used, too old, or another thing's.
    [[nodiscard]] std::optional<BundleInput> take(const std::string& thing_id,
                                                  const std::string& ticket);
    /// Wipes what is too old; about once a minute.
    void sweep();

  private:
    struct Kept {
        std::string thing_id;
        BundleInput bundle;
        TimePoint until;
    };

    void make_room() IOTSKY_REQUIRES(mutex_);
    void sweep_locked(TimePoint now) IOTSKY_REQUIRES(mutex_);

    const Clock& clock_;
    Random& random_;
    const TicketOptions options_;
    Mutex mutex_;
    std::unordered_map<std::string, Kept> kept_ IOTSKY_GUARDED_BY(mutex_);
};

}  // namespace iotsky::api
