#pragma once

#include <atomic>

namespace iotsky {

/// A full (store-load) fence, as both sides of a Dekker pair need it, also on x86.
///
/// ThreadSanitizer does not model fences (and g++ refuses them there); a read-modify-write of one
/// shared atomic orders the same and is something it understands.
inline void full_fence() noexcept {
#if defined(__SANITIZE_THREAD__)
    static std::atomic<int> order{0};
    order.fetch_add(1, std::memory_order_seq_cst);
#else
    std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace iotsky
