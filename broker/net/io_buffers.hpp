#pragma once

// Internal to broker/net.

#include <array>
#include <cstddef>
#include <span>

#include "base/clock.hpp"

namespace iotsky::net {

/// Most plain bytes in one TLS record.
inline constexpr std::size_t kRecordPlainBytes = 16U << 10U;
/// Most bytes behind its header: TLS 1.2; TLS 1.3 allows 256 above kRecordPlainBytes.
inline constexpr std::size_t kRecordBodyBytesMax = kRecordPlainBytes + 2048;

/// The buffers that all connections of one io thread share: they hold bytes within one call only.
/// Confined to its thread.
struct IoBuffers {
    /// One recv.
    static constexpr std::size_t kReadBytes = 64U << 10U;
    /// Largest TLS record with its header.
    static constexpr std::size_t kRecordBytesMax = kRecordBodyBytesMax + 5;

    std::array<std::byte, kRecordBytesMax + kReadBytes> input;  ///< from the kernel
    std::array<std::byte, kRecordBytesMax + kReadBytes> plain;  ///< decrypted
    std::array<std::byte, kRecordPlainBytes> record;            ///< gathered for one SSL_write
    std::array<std::byte, 64U << 10U> cipher;                   ///< encrypted, for one send
    std::size_t cipher_used = 0;
    TimePoint now{};  ///< of the turn

    [[nodiscard]] std::size_t cipher_room() const noexcept { return cipher.size() - cipher_used; }
    [[nodiscard]] std::span<const std::byte> sealed() const noexcept {
        return std::span{cipher}.first(cipher_used);
    }
};

}  // namespace iotsky::net
