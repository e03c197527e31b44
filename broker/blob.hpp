#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <utility>

namespace iotsky::broker {

/// Payloads from this size on are shared between threads and out-buffers instead of copied; below
/// it a copy is cheaper than an atomic counter (`dataplane.md` 8, measured).
inline constexpr std::size_t kBlobBytesMin = 4096;

/// An immutable payload with an atomic counter. Shared by any threads through BlobRef.
class Blob {
  public:
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data(), size_}; }

  private:
    friend class BlobRef;
    explicit Blob(std::size_t size) noexcept : size_(size) {}
    [[nodiscard]] const std::byte* data() const noexcept {
        return reinterpret_cast<const std::byte*>(this + 1);
    }

    std::atomic<std::size_t> refs_{1};
    std::size_t size_;
};

/// A counted reference; copying costs an atomic increment.
class BlobRef {
  public:
    BlobRef() noexcept = default;
    /// Copies `bytes` into a new blob.
    [[nodiscard]] static BlobRef copy_of(std::span<const std::byte> bytes);
    BlobRef(const BlobRef& other) noexcept;
    BlobRef(BlobRef&& other) noexcept : blob_(std::exchange(other.blob_, nullptr)) {}
    BlobRef& operator=(BlobRef other) noexcept {
        std::swap(blob_, other.blob_);
        return *this;
    }
    ~BlobRef();

    explicit operator bool() const noexcept { return blob_ != nullptr; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept;
    /// Gives up ownership without counting down, for a way through a byte arena; adopt() takes it
    /// back.
    [[nodiscard]] Blob* release() noexcept { return std::exchange(blob_, nullptr); }
    [[nodiscard]] static BlobRef adopt(Blob* blob) noexcept;

  private:
    Blob* blob_ = nullptr;
};

}  // namespace iotsky::broker
