#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace iotsky::net {

/// What seals session tickets: 16 bytes name, 32 bytes HMAC-SHA256 key, 32 bytes AES-256 key.
using TicketKeyBytes = std::array<std::uint8_t, 80>;

/// `current` makes tickets, both open them. The same set after a restart keeps devices resuming.
struct TicketKeySet {
    TicketKeyBytes current{};
    std::optional<TicketKeyBytes> previous;
};

}  // namespace iotsky::net
