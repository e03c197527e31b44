#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace iotsky::apps {

/// What the administrator should know about this machine's firewall.
struct FirewallHint {
    std::string what;  ///< "ufw is active and blocks port 8883."
    std::string how;   ///< "sudo ufw allow 8883/tcp"
};

/// Looks at the files of ufw and firewalld below `root` ("/" but in tests). Without the right to
/// read ufw's rules it says that it may block. nullopt: none of them is active, or the port is
/// open. Reads files only; other firewalls are not known.
[[nodiscard]] std::optional<FirewallHint> firewall_hint(const std::filesystem::path& root,
                                                        std::uint16_t port);

}  // namespace iotsky::apps
