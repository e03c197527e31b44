#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "broker/blob.hpp"

namespace iotsky::broker {

/// 4 KiB pieces for out-buffers, reused; one pool per thread. Confined to its thread; outlives its
/// buffers.
class ChunkPool {
  public:
    static constexpr std::size_t kChunkBytes = 4096;
    /// `keep_chunks_max`: how many unused pieces are kept (16 MiB by default); more go back to the
    /// allocator.
    explicit ChunkPool(std::size_t keep_chunks_max = 4096);
    [[nodiscard]] std::unique_ptr<std::byte[]> take();
    void give_back(std::unique_ptr<std::byte[]> chunk) noexcept;

  private:
    std::size_t keep_max_;
    std::vector<std::unique_ptr<std::byte[]>> free_;  // reserved: give_back() never allocates
};

/// Bytes that wait for one peer, in order: copied bytes in pooled chunks, large payloads by
/// reference. Owns nothing while empty (an idle connection costs 0 bytes here). Confined to its
/// connection's thread.
class OutBuffer {
  public:
    explicit OutBuffer(ChunkPool& pool) noexcept;
    ~OutBuffer();
    /// `other` is empty afterwards and stays usable.
    OutBuffer(OutBuffer&& other) noexcept;
    OutBuffer& operator=(OutBuffer&&) = delete;

    /// `n` contiguous writable bytes at the end, n <= 4096; they count after commit(m), m <= n.
    /// Valid until the next call of anything else.
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
    /// Bytes [begin, end) of a chunk of ours or of a shared payload; one of the two is set.
    struct Segment {
        std::unique_ptr<std::byte[]> chunk;
        BlobRef blob;
        std::uint32_t begin = 0;
        std::uint32_t end = 0;

        [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
        [[nodiscard]] const std::byte* data() const noexcept {
            return (chunk ? chunk.get() : blob.bytes().data()) + begin;
        }
        [[nodiscard]] std::size_t room() const noexcept {
            return chunk ? ChunkPool::kChunkBytes - end : 0;
        }
    };

    Segment& tail_with_room(std::size_t n);
    void drop_front() noexcept;
    void compact() noexcept;

    ChunkPool* pool_;
    std::size_t bytes_ = 0;
    std::vector<Segment> segments_;  // [head_, end) are in use; no memory while empty
    std::size_t head_ = 0;
};

}  // namespace iotsky::broker
