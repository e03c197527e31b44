#include "broker/out_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/assert.hpp"

namespace iotsky::broker {

ChunkPool::ChunkPool(std::size_t keep_chunks_max) : keep_max_(keep_chunks_max) {
    free_.reserve(keep_max_);
}

std::unique_ptr<std::byte[]> ChunkPool::take() {
    if (free_.empty()) {
        return std::make_unique_for_overwrite<std::byte[]>(kChunkBytes);
    }
    std::unique_ptr<std::byte[]> chunk = std::move(free_.back());
    free_.pop_back();
    return chunk;
}

void ChunkPool::give_back(std::unique_ptr<std::byte[]> chunk) noexcept {
    if (free_.size() < keep_max_) {
        free_.push_back(std::move(chunk));
    }
}

OutBuffer::OutBuffer(ChunkPool& pool) noexcept : pool_(&pool) {}

OutBuffer::~OutBuffer() {
    clear();
}

OutBuffer::OutBuffer(OutBuffer&& other) noexcept
    : pool_(other.pool_),
      bytes_(std::exchange(other.bytes_, 0)),
      segments_(std::move(other.segments_)),
      head_(std::exchange(other.head_, 0)) {}

OutBuffer::Segment& OutBuffer::tail_with_room(std::size_t n) {
    if (segments_.empty() || segments_.back().room() < n) {
        Segment segment;
        segment.chunk = pool_->take();
        segments_.push_back(std::move(segment));
    }
    return segments_.back();
}

std::span<std::byte> OutBuffer::reserve(std::size_t n) {
    IOTSKY_ASSERT(n <= ChunkPool::kChunkBytes);
    Segment& tail = tail_with_room(n);
    return {tail.chunk.get() + tail.end, n};
}

void OutBuffer::commit(std::size_t n) noexcept {
    if (n != 0) {
        Segment& tail = segments_.back();
        IOTSKY_ASSERT(n <= tail.room());
        tail.end += static_cast<std::uint32_t>(n);
        bytes_ += n;
    }
    if (bytes_ == 0) {
        clear();
    }
}

void OutBuffer::append(std::span<const std::byte> bytes) {
    bytes_ += bytes.size();
    while (!bytes.empty()) {
        Segment& tail = tail_with_room(1);
        const std::size_t n = std::min(bytes.size(), tail.room());
        std::memcpy(tail.chunk.get() + tail.end, bytes.data(), n);
        tail.end += static_cast<std::uint32_t>(n);
        bytes = bytes.subspan(n);
    }
}

void OutBuffer::append_shared(BlobRef blob, std::size_t offset, std::size_t length) {
    const std::size_t total = blob.bytes().size();
    IOTSKY_ASSERT(offset <= total && length <= total - offset &&
                  total <= std::numeric_limits<std::uint32_t>::max());
    if (length == 0) {
        return;
    }
    Segment segment;
    segment.blob = std::move(blob);
    segment.begin = static_cast<std::uint32_t>(offset);
    segment.end = static_cast<std::uint32_t>(offset + length);
    segments_.push_back(std::move(segment));
    bytes_ += length;
}

std::size_t OutBuffer::gather(std::span<::iovec> out) const noexcept {
    std::size_t used = 0;
    for (std::size_t i = head_; i < segments_.size() && used < out.size(); ++i) {
        const Segment& segment = segments_[i];
        if (segment.size() != 0) {
            // iovec is not const-correct; writev only reads.
            out[used++] = {const_cast<std::byte*>(segment.data()), segment.size()};
        }
    }
    return used;
}

void OutBuffer::consume(std::size_t n) noexcept {
    IOTSKY_ASSERT(n <= bytes_);
    bytes_ -= n;
    if (bytes_ == 0) {
        clear();
        return;
    }
    while (n >= segments_[head_].size()) {
        n -= segments_[head_].size();
        drop_front();
    }
    segments_[head_].begin += static_cast<std::uint32_t>(n);
    compact();
}

void OutBuffer::drop_front() noexcept {
    Segment gone = std::move(segments_[head_++]);
    if (gone.chunk) {
        pool_->give_back(std::move(gone.chunk));
    }
}

void OutBuffer::compact() noexcept {
    if (head_ * 2 >
        segments_.size()) {  // amortised: each segment is moved once at most per halving
        segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(head_));
        head_ = 0;
    }
}

void OutBuffer::clear() noexcept {
    while (head_ < segments_.size()) {
        drop_front();
    }
    std::vector<Segment>().swap(segments_);  // gives its memory back
    head_ = 0;
    bytes_ = 0;
}

}  // namespace iotsky::broker
