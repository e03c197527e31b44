#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace iotsky::certs {

/// One address of this machine.
struct LocalAddress {
    std::string text;       ///< "10.20.0.5", "2001:db8::5"; without a zone.
    std::string interface;  ///< "eth0"
    bool loopback = false;
    bool link_local = false;

    friend bool operator==(const LocalAddress&, const LocalAddress&) = default;
};

/// Addresses of the interfaces that are up, each once: global ones first, then link-local, loopback
/// last; within each IPv4 before IPv6, then by text. Reads the kernel's list (getifaddrs). Error:
/// E5216.
[[nodiscard]] Result<std::vector<LocalAddress>> local_addresses();

/// The order and the doubles of the list above. Thread: any (pure).
[[nodiscard]] std::vector<LocalAddress> sorted_addresses(std::vector<LocalAddress> addresses);

/// Only the texts, in order.
[[nodiscard]] std::vector<std::string> address_texts(const std::vector<LocalAddress>& addresses);

}  // namespace iotsky::certs
