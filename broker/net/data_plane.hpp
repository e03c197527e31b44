#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "broker/net/io_thread.hpp"
#include "broker/net/options.hpp"

namespace iotsky::broker {
class Shard;
struct Shared;
class Waker;
}  // namespace iotsky::broker

namespace iotsky::net {

struct ListenerShared;

/// Failures by what went wrong ("no_certificate"); those that happened.
using FaultSums = std::vector<std::pair<std::string, std::uint64_t>>;

/// A listener that is served, and its TLS handshakes and requests for WebSockets since the start.
struct ListenerSums {
    std::string name;
    Protocol protocol = Protocol::mqtts;
    std::uint64_t handshakes_full = 0;
    std::uint64_t handshakes_resumed = 0;
    FaultSums handshakes_failed;
    std::uint64_t websockets_opened = 0;
    FaultSums websockets_failed;
};

/// The io threads of one broker: a Shard on each, with mailboxes and control lanes wired to its
/// wake-ups. Confined to the thread that made it, but for what IoThreads says otherwise.
class DataPlane {
  public:
    /// `shared` (whose `threads` says how many) and `clock` must outlive it. Turns read
    /// `shared.options.limits.turn_bytes_max` per connection, whatever `options` says.
    /// Throws std::system_error when the kernel gives no descriptors.
    DataPlane(broker::Shared& shared, PollerOptions options, const Clock& clock);
    /// stop().
    ~DataPlane();
    DataPlane(const DataPlane&) = delete;
    DataPlane& operator=(const DataPlane&) = delete;

    /// One per thread, for the log (MemoryLog::set_wakers and its like) before start(). They end
    /// with this object: a log that outlives it must be given others, or none, first.
    [[nodiscard]] std::vector<broker::Waker*> wakers();
    /// Starts the threads; returns when each has loaded its sessions from the log: from then on
    /// nobody is refused for want of them.
    void start();
    /// Begins to take connections of a listener bound for `shared.threads` threads.
    void serve(Listener&& listener);
    /// Changes a listener that is served: its handshake_timeout and failures_per_minute_max, for
    /// what begins from now on. Thread: any, after the last serve().
    void change(const ListenerOptions& options);
    /// In the order of serve(). Thread: any, after the last serve().
    [[nodiscard]] std::vector<ListenerSums> listeners() const;
    /// Closes every connection and ends the threads; at most `drain` later.
    void stop(std::chrono::milliseconds drain = std::chrono::milliseconds{2'000});
    [[nodiscard]] const IoThreads& io() const noexcept { return io_; }

  private:
    broker::Shared& shared_;
    IoThreads io_;
    std::vector<std::unique_ptr<broker::Shard>> shards_;
    std::vector<std::shared_ptr<ListenerShared>> listeners_;  ///< that are served
};

}  // namespace iotsky::net
