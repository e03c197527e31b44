#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace iotsky::net {

/// The whole TLS records at the front of some bytes.
struct WholeRecords {
    std::size_t bytes = 0;   ///< of whole records; 0: the first is unfinished
    bool malformed = false;  ///< the record after them has no possible header
};

/// As many whole records as fit in `slice_max` bytes, but at least one if one is whole.
/// Thread: any (pure). Cost: 5 bytes looked at per record.
[[nodiscard]] WholeRecords whole_records(std::span<const std::byte> in,
                                         std::size_t slice_max) noexcept;

/// What a peer speaks that has just connected to a TLS port.
enum class FirstBytes : std::uint8_t { tls, mqtt, http, other };

/// Tells by the first bytes (at least one). Thread: any (pure).
[[nodiscard]] FirstBytes classify_first_bytes(std::span<const std::byte> in) noexcept;

}  // namespace iotsky::net
