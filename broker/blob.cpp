#include "broker/blob.hpp"

#include <cstring>
#include <new>

namespace iotsky::broker {

BlobRef BlobRef::copy_of(std::span<const std::byte> bytes) {
    void* memory = ::operator new(sizeof(Blob) + bytes.size());
    auto* blob = new (memory) Blob(bytes.size());
    if (!bytes.empty()) {
        std::memcpy(static_cast<std::byte*>(memory) + sizeof(Blob), bytes.data(), bytes.size());
    }
    return adopt(blob);
}

BlobRef::BlobRef(const BlobRef& other) noexcept : blob_(other.blob_) {
    if (blob_ != nullptr) {
        blob_->refs_.fetch_add(1, std::memory_order_relaxed);
    }
}

BlobRef::~BlobRef() {
    // acq_rel: whoever frees it has seen the last use of every other holder.
    if (blob_ != nullptr && blob_->refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        blob_->~Blob();
        ::operator delete(blob_);
    }
}

std::span<const std::byte> BlobRef::bytes() const noexcept {
    return blob_ == nullptr ? std::span<const std::byte>{} : blob_->bytes();
}

BlobRef BlobRef::adopt(Blob* blob) noexcept {
    BlobRef ref;
    ref.blob_ = blob;
    return ref;
}

}  // namespace iotsky::broker
