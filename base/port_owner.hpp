#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"

namespace iotsky {

/// Another program that listens on a TCP port.
struct PortOwner {
    std::string name;  ///< of the program; empty when we may not look at it
    int pid = 0;       ///< 0 when unknown
};

/// Who listens on `port`, from /proc/net/tcp, /proc/net/tcp6 and /proc/PID/fd. nullopt: nobody.
/// Without the privilege to look into the owner's /proc entry, name and pid stay empty.
[[nodiscard]] std::optional<PortOwner> find_port_owner(std::uint16_t port);

/// E1101: the port of a listener is taken, by whom where that can be seen.
[[nodiscard]] Error port_taken(std::uint16_t port);

}  // namespace iotsky
