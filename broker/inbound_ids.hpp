#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace iotsky::broker {

/// The QoS 2 identifiers of a session whose PUBREL has not come yet. A few lie in a list; many in a
/// bitmap of 8 KiB, which is all that a client can make it cost (R1: never a reason to pause its
/// reading).
class InboundIds {
  public:
    [[nodiscard]] bool contains(std::uint16_t id) const noexcept {
        if (bitmap_) {
            return ((*bitmap_)[id / 64] >> (id % 64) & 1U) != 0;
        }
        return std::find(few_.begin(), few_.end(), id) != few_.end();
    }
    void insert(std::uint16_t id) {
        if (contains(id)) {
            return;
        }
        ++count_;
        if (!bitmap_ && few_.size() < kFewMax) {
            few_.push_back(id);
            return;
        }
        if (!bitmap_) {
            bitmap_ = std::make_unique<Bitmap>();
            for (const std::uint16_t known : few_) {
                set(known);
            }
            few_ = {};
        }
        set(id);
    }
    /// False when it was not there.
    bool erase(std::uint16_t id) {
        if (!contains(id)) {
            return false;
        }
        --count_;
        if (!bitmap_) {
            few_.erase(std::find(few_.begin(), few_.end(), id));
        } else if (count_ == 0) {
            bitmap_.reset();
        } else {
            (*bitmap_)[id / 64] &= ~(std::uint64_t{1} << (id % 64));
        }
        return true;
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }

  private:
    using Bitmap = std::array<std::uint64_t, 1024>;
    static constexpr std::size_t kFewMax = 32;
    void set(std::uint16_t id) noexcept { (*bitmap_)[id / 64] |= std::uint64_t{1} << (id % 64); }

    std::vector<std::uint16_t> few_;
    std::unique_ptr<Bitmap> bitmap_;
    std::size_t count_ = 0;
};

}  // namespace iotsky::broker
