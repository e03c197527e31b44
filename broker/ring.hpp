#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "base/assert.hpp"

namespace iotsky::broker {

/// A double-ended queue in one array that doubles, and owns no memory while it never held anything
/// (an idle session has several of these). Index 0 is the front. Confined to its owner's thread.
template <typename T>
class Ring {
  public:
    Ring() noexcept = default;
    Ring(Ring&& other) noexcept
        : slots_(std::move(other.slots_)),
          capacity_(std::exchange(other.capacity_, 0)),
          head_(std::exchange(other.head_, 0)),
          size_(std::exchange(other.size_, 0)) {}
    Ring& operator=(Ring&& other) noexcept {
        slots_ = std::move(other.slots_);
        capacity_ = std::exchange(other.capacity_, 0);
        head_ = std::exchange(other.head_, 0);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    T& operator[](std::size_t i) noexcept { return slots_[(head_ + i) & (capacity_ - 1)]; }
    const T& operator[](std::size_t i) const noexcept {
        return slots_[(head_ + i) & (capacity_ - 1)];
    }
    T& front() noexcept { return (*this)[0]; }
    T& back() noexcept { return (*this)[size_ - 1]; }

    void push_back(T value) {
        if (size_ == capacity_) {
            grow();
        }
        slots_[(head_ + size_) & (capacity_ - 1)] = std::move(value);
        ++size_;
    }
    void pop_front() noexcept {
        slots_[head_] = T{};
        head_ = (head_ + 1) & (capacity_ - 1);
        --size_;
    }
    /// Removes element `i`; the order of the others stays. O(distance to the nearer end is not
    /// used; O(n)).
    void erase(std::size_t i) noexcept {
        for (; i + 1 < size_; ++i) {
            (*this)[i] = std::move((*this)[i + 1]);
        }
        (*this)[size_ - 1] = T{};
        --size_;
    }
    /// Empties it and frees the array.
    void clear() noexcept { *this = Ring{}; }

  private:
    void grow() {
        const std::size_t wider = capacity_ == 0 ? 8 : capacity_ * 2;
        auto slots = std::make_unique<T[]>(wider);
        for (std::size_t i = 0; i < size_; ++i) {
            slots[i] = std::move((*this)[i]);
        }
        slots_ = std::move(slots);
        capacity_ = wider;
        head_ = 0;
    }

    std::unique_ptr<T[]> slots_;
    std::size_t capacity_ = 0;  // a power of two, or 0
    std::size_t head_ = 0;
    std::size_t size_ = 0;
};

}  // namespace iotsky::broker
