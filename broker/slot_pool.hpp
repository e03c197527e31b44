#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace iotsky::broker {

/// Objects under 32-bit numbers that stay while the object lives. Grows in chunks, so nothing moves
/// and nothing is twice as large as needed; gives its memory back when it is empty. Confined.
template <typename T>
class SlotPool {
  public:
    static constexpr std::uint32_t kNone = 0;  ///< no object has this number

    /// A value-initialised object.
    [[nodiscard]] std::uint32_t take() {
        ++used_;
        if (!free_.empty()) {
            const std::uint32_t id = free_.back();
            free_.pop_back();
            return id;
        }
        if (end_ / kChunk == chunks_.size()) {
            chunks_.push_back(std::make_unique<T[]>(kChunk));
        }
        return ++end_;
    }
    void give_back(std::uint32_t id) {
        if (--used_ == 0) {
            *this = {};
            return;
        }
        (*this)[id] = T{};
        free_.push_back(id);
    }
    [[nodiscard]] T& operator[](std::uint32_t id) noexcept {
        return chunks_[(id - 1) / kChunk][(id - 1) % kChunk];
    }
    [[nodiscard]] const T& operator[](std::uint32_t id) const noexcept {
        return chunks_[(id - 1) / kChunk][(id - 1) % kChunk];
    }
    /// Objects taken and not given back.
    [[nodiscard]] std::size_t size() const noexcept { return used_; }

  private:
    static constexpr std::uint32_t kChunk = 64;
    std::vector<std::unique_ptr<T[]>> chunks_;
    std::vector<std::uint32_t> free_;
    std::uint32_t end_ = 0;
    std::size_t used_ = 0;
};

}  // namespace iotsky::broker
