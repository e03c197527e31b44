#pragma once

namespace iotsky {
/// Logs and aborts. For faults of our own only, never for what a peer can cause.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;
}  // namespace iotsky

/// Checked in release builds too. Only for our own invariants; a peer must never be able to reach
/// it.
#define IOTSKY_ASSERT(x)                                        \
    do {                                                        \
        if (!(x)) [[unlikely]] {                                \
            ::iotsky::assertion_failed(#x, __FILE__, __LINE__); \
        }                                                       \
    } while (false)
