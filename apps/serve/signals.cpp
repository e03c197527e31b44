#include "apps/serve/signals.hpp"

#include <pthread.h>

#include <csignal>
#include <initializer_list>

namespace iotsky::apps {
namespace {

sigset_t our_signals() noexcept {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
        sigaddset(&set, number);
    }
    return set;
}

}  // namespace

void Signals::hold() const noexcept {
    const sigset_t set = our_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void Signals::let_through() const noexcept {
    const sigset_t set = our_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool Signals::stop_waits() const noexcept {
    sigset_t waiting;
    sigemptyset(&waiting);
    ::sigpending(&waiting);
    return sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1;
}

}  // namespace iotsky::apps
