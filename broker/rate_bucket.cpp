#include "broker/rate_bucket.hpp"

#include <algorithm>
#include <chrono>

namespace iotsky::broker {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint32_t kFinest = 100;  // parts of a second

std::int64_t nanoseconds(TimePoint at) noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

/// Time that one token stands for.
std::int64_t interval(const Rate& rate) noexcept {
    return kSecond / std::max<std::int64_t>(1, rate.per_second);
}

/// Time that a full bucket stands for.
std::int64_t capacity(const Rate& rate) noexcept {
    return interval(rate) * std::max({std::uint32_t{1}, rate.burst, rate.per_second / kFinest});
}

}  // namespace

std::uint32_t RateBucket::available(const Rate& rate, TimePoint now) const noexcept {
    const std::int64_t missing =
        std::max<std::int64_t>(0, full_at_.load(std::memory_order_relaxed) - nanoseconds(now));
    const std::int64_t left = capacity(rate) - missing;
    return left <= 0 ? 0 : static_cast<std::uint32_t>(left / interval(rate));
}

TimePoint RateBucket::take(const Rate& rate, std::uint64_t n, TimePoint now) noexcept {
    const std::int64_t time = nanoseconds(now);
    const std::int64_t taken = interval(rate) * static_cast<std::int64_t>(n);
    std::int64_t before = full_at_.load(std::memory_order_relaxed);
    std::int64_t after = 0;
    do {
        after = std::max(before, time) + taken;
    } while (!full_at_.compare_exchange_weak(before, after, std::memory_order_relaxed));
    const std::int64_t next = after + interval(rate) - capacity(rate);
    return next <= time ? now : now + std::chrono::nanoseconds{next - time};
}

bool RateBucket::full(TimePoint now) const noexcept {
    return full_at_.load(std::memory_order_relaxed) <= nanoseconds(now);
}

}  // namespace iotsky::broker
