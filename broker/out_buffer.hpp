#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "broker/blob.hpp"

namespace iotsky::broker {

/// 4 KiB pieces for out-buffers, reused; one pool per thread. Confined to its thread.
class ChunkPool {
  public:
    static constexpr std::size_t kChunkBytes = 4096;
    explicit ChunkPool(std::size_t keep_chunks_max = 4096);
    [[nodiscard]] std::unique_ptr<std::byte[]> take();
    void give_back(std::unique_ptr<std::byte[]> chunk);

  private:
    std::size_t keep_max_;
    std::vector<std::unique_ptr<std::byte[]>> free_;
};

/// Bytes that wait for one peer, in order: copied bytes in pooled chunks, large payloads by reference.
/// Owns nothing while empty (an idle connection costs 0 bytes here). Confined to its connection's thread.
class OutBuffer {
  public:
    explicit OutBuffer(ChunkPool& pool) noexcept;
    ~OutBuffer();
    OutBuffer(OutBuffer&&) noexcept;
    OutBuffer& operator=(OutBuffer&&) = delete;

    /// `n` contiguous writable bytes at the end, n <= 4096; they count after commit(m), m <= n.
    [[nodiscard]] std::span<std::byte> reserve(std::size_t n);
    void commit(std::size_t n) noexcept;
    /// Copies `bytes`, over as many chunks as it takes.
    void append(std::span<const std::byte> bytes);
    /// Refers to `length` bytes of a shared payload from `offset`; nothing is copied.
    void append_shared(BlobRef blob, std::size_t offset, std::size_t length);

    [[nodiscard]] std::size_t size() const noexcept { return bytes_; }
    [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
    /// Fills `out` with the first pieces, in order; returns how many entries were used.
    [[nodiscard]] std::size_t gather(std::span<::iovec> out) const noexcept;
    /// The first `n` bytes are gone (n <= size()).
    void consume(std::size_t n) noexcept;
    void clear() noexcept;

  private:
    struct Segment;
    ChunkPool* pool_;
    std::size_t bytes_ = 0;
    std::deque<Segment>* segments_ = nullptr;  // allocated with the first byte, freed with the last
};

}  // namespace iotsky::broker
