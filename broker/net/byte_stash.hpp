#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace iotsky::net {

/// A few bytes of one connection that wait for the next turn: an unfinished TLS record, or what the
/// kernel did not take. As large as its content, and nothing while empty. Confined to the
/// connection's thread.
class ByteStash {
  public:
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::span<const std::byte> view() const noexcept {
        return {bytes_.get() + begin_, end_ - begin_};
    }
    /// What heap this costs now.
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    void append(std::span<const std::byte> bytes);
    /// The first `n` bytes are gone (n <= view().size()).
    void consume(std::size_t n) noexcept;
    void clear() noexcept;

  private:
    std::unique_ptr<std::byte[]> bytes_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace iotsky::net
