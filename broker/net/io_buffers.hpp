#pragma once

// Internal to broker/net.

#include <array>
#include <cstddef>
#include <span>

#include "base/clock.hpp"

namespace iotsky::net {

/// The buffers that all connections of one io thread share: they hold bytes within one call only.
/// Confined to its thread.
struct IoBuffers {
    /// One recv.
    static constexpr std::size_t kReadBytes = 64U << 10U;
    /// Largest TLS record with its header (TLS 1.2: 2^14 + 2048 + 5).
    static constexpr std::size_t kRecordBytesMax = (16U << 10U) + 2048 + 5;
    /// Most plain bytes in one TLS record.
    static constexpr std::size_t kRecordPlainBytes = 16U << 10U;

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
