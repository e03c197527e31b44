#include "apps/serve/control_loop.hpp"

#include <csignal>

#include "apps/serve/notify.hpp"
#include "base/log.hpp"

namespace iotsky::apps {
namespace {

using namespace std::chrono_literals;

constexpr auto kUpkeep = 60s;

}  // namespace

void ControlLoop::wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& fault, int number) {
        if (fault) {
            return;
        }
        if (number == SIGHUP) {
            duties_.reload();
            wait_for_signal();
            return;
        }
        log::info("", "stopping", {{"signal", number}});
        io_.stop();
    });
}

void ControlLoop::wait_for_upkeep() {
    timer_.expires_after(kUpkeep);
    timer_.async_wait([this](const boost::system::error_code& fault) {
        if (!fault) {
            duties_.upkeep();
            wait_for_upkeep();
        }
    });
}

/// A control thread that hangs is what systemd restarts us for.
void ControlLoop::wait_for_watchdog(std::chrono::milliseconds interval) {
    notify_systemd("WATCHDOG=1");
    watchdog_.expires_after(interval);
    watchdog_.async_wait([this, interval](const boost::system::error_code& fault) {
        if (!fault) {
            wait_for_watchdog(interval);
        }
    });
}

void ControlLoop::start() {
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
        signals_.add(number);
    }
    wait_for_signal();
    wait_for_upkeep();
}

void ControlLoop::run(const Signals& signals) {
    if (const auto interval = watchdog_interval()) {
        wait_for_watchdog(*interval);
    }
    signals.let_through();
    io_.run();
    signals.hold();
}

void ControlLoop::finish(std::chrono::milliseconds longest) {
    signals_.cancel();
    timer_.cancel();
    watchdog_.cancel();
    io_.restart();
    io_.run_for(longest);
}

}  // namespace iotsky::apps
