#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

struct sockaddr_storage;

namespace iotsky::net {

/// What counts as one address for limits: an IPv4 address (mapped into IPv6), or an IPv6 /64, which
/// is what one household or one machine is given.
struct AddressKey {
    std::array<std::uint8_t, 16> bytes{};
    friend bool operator==(const AddressKey&, const AddressKey&) = default;
};

/// One end of a TCP connection, for people and for limits.
struct Endpoint {
    std::string address;  ///< without port; IPv4-mapped addresses as IPv4
    std::uint16_t port = 0;
    AddressKey key;
};

/// Thread: any (pure). Other families give an empty address.
[[nodiscard]] Endpoint describe(const sockaddr_storage& address);

}  // namespace iotsky::net
