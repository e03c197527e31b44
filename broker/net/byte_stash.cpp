#include "broker/net/byte_stash.hpp"

#include <algorithm>

namespace iotsky::net {

void ByteStash::append(std::span<const std::byte> bytes) {
    if (bytes.empty()) {
        return;
    }
    if (end_ + bytes.size() > capacity_) {
        const std::size_t held = end_ - begin_;
        const std::size_t wanted = held + bytes.size();
        auto grown = std::make_unique_for_overwrite<std::byte[]>(wanted);
        std::copy_n(bytes_.get() + begin_, held, grown.get());
        bytes_ = std::move(grown);
        begin_ = 0;
        end_ = held;
        capacity_ = wanted;
    }
    std::copy(bytes.begin(), bytes.end(), bytes_.get() + end_);
    end_ += bytes.size();
}

void ByteStash::consume(std::size_t n) noexcept {
    begin_ += n;
    if (begin_ >= end_) {
        clear();
    }
}

void ByteStash::clear() noexcept {
    bytes_.reset();
    begin_ = end_ = capacity_ = 0;
}

}  // namespace iotsky::net
