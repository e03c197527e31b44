#include "base/sleeper.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace {

/// Waits for `value`: spinning, so that both threads start at once, but not against a busy machine.
template <typename Stop>
bool wait_for(const std::atomic<unsigned>& value, unsigned wanted, Stop stop) {
    for (int spins = 0; value.load(std::memory_order_acquire) != wanted; ++spins) {
        if (stop()) {
            return false;
        }
        if (spins > 10'000) {
            std::this_thread::yield();
        }
    }
    return true;
}

}  // namespace

TEST_SUITE("base.sleeper") {
    TEST_CASE("no wake-up is lost between a publish and a look") {
        // A litmus test: in each round both threads meet at a barrier and then do their half of the
        // pair at once. Without the fences both miss in some of the rounds, on x86 too.
        using Clock = std::chrono::steady_clock;
        iotsky::Sleeper sleeper;
        std::atomic<bool> input{false};
        std::atomic<bool> woken{false};
        std::atomic<unsigned> round{0};
        std::atomic<unsigned> sender_done{0};
        std::atomic<bool> stop{false};

        std::thread sender([&] {
            for (unsigned r = 1;; ++r) {
                if (!wait_for(round, r, [&] { return stop.load(std::memory_order_relaxed); })) {
                    return;
                }
                input.store(true, std::memory_order_relaxed);
                woken.store(sleeper.must_wake(), std::memory_order_relaxed);
                sender_done.store(r, std::memory_order_release);
            }
        });
        unsigned lost = 0;
        unsigned r = 0;
        const auto end = Clock::now() + std::chrono::milliseconds(700);
        while (Clock::now() < end) {
            input.store(false, std::memory_order_relaxed);
            round.store(++r, std::memory_order_release);
            sleeper.announce();
            const bool saw = input.load(std::memory_order_relaxed);
            wait_for(sender_done, r, [] { return false; });
            lost += !saw && !woken.load(std::memory_order_relaxed) ? 1U : 0U;
            sleeper.awake();
        }
        stop.store(true);
        sender.join();
        MESSAGE("rounds: ", r);
        CHECK(r > 10);
        CHECK(lost == 0);
    }

    TEST_CASE("exactly one of the senders that meet one sleep wakes") {
        iotsky::Sleeper sleeper;
        CHECK_FALSE(sleeper.must_wake());
        sleeper.announce();
        CHECK(sleeper.must_wake());
        CHECK_FALSE(sleeper.must_wake());
        sleeper.announce();
        sleeper.awake();
        CHECK_FALSE(sleeper.must_wake());
    }
}
