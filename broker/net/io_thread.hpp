#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/sleeper.hpp"
#include "broker/mailbox.hpp"
#include "broker/net/listener.hpp"
#include "broker/net/net_counters.hpp"
#include "broker/net/options.hpp"
#include "broker/net/poller_sink.hpp"
#include "broker/transport.hpp"

namespace iotsky::net {

class IoThread;

/// The threads io-0 .. io-N-1. Each is an Asio loop with a Poller nested in it as one descriptor;
/// everything of a turn happens in the Poller, Asio keeps the timer and the posts.
/// Confined to the thread that made it, but for what says otherwise.
class IoThreads {
  public:
    /// Makes `count` loops (1 .. 64), not yet running. `clock` must outlive them.
    /// Throws std::system_error when the kernel gives no descriptors.
    IoThreads(unsigned count, const PollerOptions& options, const Clock& clock);
    /// stop().
    ~IoThreads();
    IoThreads(const IoThreads&) = delete;
    IoThreads& operator=(const IoThreads&) = delete;

    [[nodiscard]] unsigned size() const noexcept;
    /// What the sink of thread `index` attaches its transports to.
    [[nodiscard]] broker::TransportHost& host(unsigned index) noexcept;
    /// What wakes thread `index`, for its mailbox and control lane. Thread: any.
    [[nodiscard]] broker::Waker& waker(unsigned index) noexcept;
    [[nodiscard]] Sleeper& sleeper(unsigned index) noexcept;
    /// Thread: any.
    [[nodiscard]] const NetCounters& counters(unsigned index) const noexcept;

    /// Starts all threads; `sinks[i]` is driven by io-i until stop() has returned.
    void start(std::vector<std::unique_ptr<PollerSink>> sinks);
    /// Begins to take connections of `listener`, which must have been bound for size() threads.
    void serve(Listener&& listener);
    /// Runs `task` on thread `index` between two turns. Thread: any.
    void post(unsigned index, std::function<void()> task);

    /// Stops accepting, shuts the sinks down, lets connections end for up to `drain`, joins. Sinks
    /// live until the IoThreads end. Idempotent.
    void stop(std::chrono::milliseconds drain = std::chrono::milliseconds{2'000});

  private:
    std::vector<std::unique_ptr<IoThread>> threads_;
    bool running_ = false;
};

}  // namespace iotsky::net
