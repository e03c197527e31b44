#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// Who is at the other end of a unix socket.
namespace iotsky::api {

struct PeerCredentials {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;  ///< Supplementary groups.
};

/// What makes a peer trusted.
struct TrustedAccounts {
    std::uint32_t own_uid = 0;
    std::uint32_t group_gid = 0;  ///< Of `group`; meaningless without has_group.
    bool has_group = false;
};

/// Root, the daemon's own user, or a member of the group. Thread: any (pure).
[[nodiscard]] bool is_trusted(const PeerCredentials& peer, const TrustedAccounts& trusted) noexcept;

/// The kernel's word about the process that connected (SO_PEERCRED, SO_PEERGROUPS). Error: io.
[[nodiscard]] Result<PeerCredentials> peer_credentials(int socket);

/// Our user and the group's number, if this machine has such a group.
[[nodiscard]] TrustedAccounts trusted_accounts(std::string_view group);

/// "root", or "uid 1000" for an account without a name.
[[nodiscard]] std::string account_name(std::uint32_t uid);

}  // namespace iotsky::api
