#pragma once

#include <memory>

namespace iotsky {

/// Frees a handle of a C library.
template <auto Free>
struct CFree {
    template <typename T>
    void operator()(T* handle) const noexcept {
        Free(handle);
    }
};

/// Owns a handle of a C library: `CHandle<X509, X509_free>`.
template <typename T, auto Free>
using CHandle = std::unique_ptr<T, CFree<Free>>;

}  // namespace iotsky
