#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace iotsky::load {

/// Counts durations in buckets that are at most 1/32 wide, so that a percentile is that exact.
class Latency {
  public:
    void add(std::uint64_t nanoseconds) noexcept {
        ++buckets_[index_of(nanoseconds)];
        ++count_;
        max_ = nanoseconds > max_ ? nanoseconds : max_;
    }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] double max_us() const noexcept { return static_cast<double>(max_) / 1e3; }

    /// Upper end of the bucket that holds the `part`-th value, 0 < part <= 1; 0 without values.
    [[nodiscard]] double percentile_us(double part) const noexcept {
        const auto rank = static_cast<std::uint64_t>(part * static_cast<double>(count_) + 0.5);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            seen += buckets_[i];
            if (count_ > 0 && seen >= (rank == 0 ? 1 : rank)) {
                const double end = static_cast<double>(upper_end(i)) / 1e3;
                return end < max_us() ? end : max_us();
            }
        }
        return 0;
    }

  private:
    static constexpr unsigned kBits = 5;
    static constexpr std::uint64_t kSteps = 1U << kBits;

    static std::size_t index_of(std::uint64_t value) noexcept {
        if (value < kSteps) {
            return static_cast<std::size_t>(value);
        }
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - kBits - 1;
        return static_cast<std::size_t>((shift + 1) * kSteps + (value >> shift) - kSteps);
    }
    static std::uint64_t upper_end(std::size_t index) noexcept {
        const std::uint64_t group = index / kSteps;
        const std::uint64_t step = index % kSteps;
        return group == 0 ? step : ((kSteps + step + 1) << (group - 1)) - 1;
    }

    std::array<std::uint64_t, (64 - kBits + 1) * kSteps> buckets_{};
    std::uint64_t count_ = 0;
    std::uint64_t max_ = 0;
};

}  // namespace iotsky::load
