#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace iotsky::simulation {

/// Bytes of a sequence that are read at most.
inline constexpr std::size_t kInputMax = 4096;

/// The input, a byte at a time; zeros behind its end.
class Source {
  public:
    explicit Source(std::span<const std::uint8_t> bytes)
        : bytes_(bytes.first(std::min(bytes.size(), kInputMax))) {}
    [[nodiscard]] bool empty() const { return at_ >= bytes_.size(); }
    std::uint8_t next() { return empty() ? std::uint8_t{0} : bytes_[at_++]; }
    unsigned below(unsigned bound) { return next() % bound; }

  private:
    std::span<const std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

}  // namespace iotsky::simulation
