#include "broker/rate_bucket.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace iotsky;
using namespace iotsky::broker;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{std::chrono::hours{5}};
constexpr Rate kRate{10, 5};

}  // namespace

TEST_SUITE("broker.rate_bucket") {
    TEST_CASE("a new bucket has its burst, and then the next token after one interval") {
        RateBucket bucket;
        CHECK(bucket.available(kRate, kStart) == 5);
        CHECK(bucket.take(kRate, 4, kStart) == kStart);
        CHECK(bucket.available(kRate, kStart) == 1);
        CHECK(bucket.take(kRate, 1, kStart) == kStart + 100ms);
        CHECK(bucket.available(kRate, kStart) == 0);
        CHECK(bucket.available(kRate, kStart + 99ms) == 0);
        CHECK(bucket.available(kRate, kStart + 100ms) == 1);
    }

    TEST_CASE("it never holds more than its burst") {
        RateBucket bucket;
        bucket.take(kRate, 5, kStart);
        CHECK(bucket.available(kRate, kStart + 1h) == 5);
        CHECK(bucket.full(kStart + 500ms));
        CHECK_FALSE(bucket.full(kStart + 499ms));
    }

    TEST_CASE("what was taken too much is paid by waiting") {
        RateBucket bucket;
        CHECK(bucket.take(kRate, 25, kStart) == kStart + 2100ms);  // 20 of debt, and one to take
        CHECK(bucket.available(kRate, kStart + 2099ms) == 0);
        CHECK(bucket.available(kRate, kStart + 2100ms) == 1);
    }

    TEST_CASE("over time the rate holds, however it is taken") {
        RateBucket bucket;
        TimePoint now = kStart;
        unsigned taken = 0;
        while (now < kStart + 10s) {
            taken += 3;
            now = std::max(now, bucket.take(kRate, 3, now));
        }
        CHECK(taken >= 100);
        CHECK(taken <= 5 + 100 + 3);
    }

    TEST_CASE("a burst below 10 ms of the rate counts as that much") {
        RateBucket bucket;
        CHECK(bucket.available({100'000, 1}, kStart) == 1000);
        CHECK(bucket.available({100, 1}, kStart) == 1);
    }

    TEST_CASE("filling it forgets what was taken") {
        RateBucket bucket;
        bucket.take(kRate, 100, kStart);
        bucket.fill();
        CHECK(bucket.available(kRate, kStart) == 5);
    }

    TEST_CASE("threads that take at once lose no token") {
        RateBucket bucket;
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&bucket] {
                for (int i = 0; i < 10'000; ++i) {
                    bucket.take({1000, 1000}, 1, kStart);
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        CHECK(bucket.full(kStart + 40s));
        CHECK_FALSE(bucket.full(kStart + 40s - 1ms));
    }
}
