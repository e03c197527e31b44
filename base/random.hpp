#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace iotsky {

/// Where random bytes come from, so that tests and the simulation can choose them.
class Random {
  public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::byte> out) = 0;
    [[nodiscard]] std::uint64_t next_u64();
};

/// The kernel's generator (getrandom). Thread: any. Ends the process if the kernel has none.
class SystemRandom final : public Random {
  public:
    void fill(std::span<std::byte> out) override;
};

/// Repeatable: the same seed gives the same bytes. For tests and the simulation only; not secret.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) noexcept : state_(seed) {}
    void fill(std::span<std::byte> out) override;
    /// A number in [0, bound); bound > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t bound);

  private:
    std::uint64_t state_;
};

}  // namespace iotsky
