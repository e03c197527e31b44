#pragma once

// Internal to the daemon: this header has Asio in it.

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>

#include "apps/serve/signals.hpp"

namespace iotsky::apps {

/// The control thread: whatever is posted to io(), signals, upkeep once a minute, the watchdog of
/// systemd. Confined to the thread that runs it, but for io().
class ControlLoop {
  public:
    struct Duties {
        std::function<void()> reload;  ///< SIGHUP
        std::function<void()> upkeep;
    };
    explicit ControlLoop(Duties duties) : duties_(std::move(duties)) {}

    [[nodiscard]] boost::asio::io_context& io() noexcept { return io_; }
    /// Takes signals from now on; those that came before are told when run() begins.
    void start();
    /// Until SIGTERM or SIGINT; one that came before ends it at once.
    void run(const Signals& signals);
    /// Goes on for `longest` after run(), so that requests that run are answered.
    void finish(std::chrono::milliseconds longest);

  private:
    void wait_for_signal();
    void wait_for_upkeep();
    void wait_for_watchdog(std::chrono::milliseconds interval);

    Duties duties_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_{io_};
    boost::asio::steady_timer timer_{io_};
    boost::asio::steady_timer watchdog_{io_};
};

}  // namespace iotsky::apps
