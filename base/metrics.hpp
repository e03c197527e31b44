#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace iotsky {

/// One number that only one thread writes and any thread reads. No locked instruction.
class Count {
  public:
    void add(std::uint64_t n = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    void sub(std::uint64_t n = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// Durations in buckets that double from 100 us; one writer, any reader.
class Histogram {
  public:
    static constexpr std::size_t kBuckets = 18;  ///< the last one is "longer than all"

    void record_ns(std::uint64_t ns) noexcept;
    /// Upper bound of a bucket in seconds; the last has none (infinity).
    [[nodiscard]] static double upper_s(std::size_t bucket) noexcept;
    [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept {
        return buckets_[bucket].get();
    }
    [[nodiscard]] double sum_s() const noexcept { return static_cast<double>(sum_ns_.get()) / 1e9; }

  private:
    std::array<Count, kBuckets> buckets_;
    Count sum_ns_;
};

}  // namespace iotsky
