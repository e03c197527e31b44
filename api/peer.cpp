#include "api/peer.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/errno_text.hpp"

namespace iotsky::api {
namespace {

constexpr std::size_t kAccountBytes = 16 * 1024;  ///< getgrnam_r's members may be many
constexpr std::size_t kGroupsMax = 65'536;        ///< NGROUPS_MAX

Error socket_error(const char* call) {
    Error error;
    error.code = Errc::io;
    error.message = "The account at the other end of the socket is not known.";
    error.detail = std::string{call} + ": " + errno_text(errno);
    return error;
}

/// Not there before Linux 4.13: then the primary group alone decides.
std::vector<std::uint32_t> peer_groups(int socket) {
    std::vector<gid_t> groups(32);
    for (;;) {
        auto bytes = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) == 0) {
            groups.resize(bytes / sizeof(gid_t));
            return {groups.begin(), groups.end()};
        }
        if (errno != ERANGE || groups.size() >= kGroupsMax) {
            return {};
        }
        groups.resize(groups.size() * 8);
    }
}

}  // namespace

bool is_trusted(const PeerCredentials& peer, const TrustedAccounts& trusted) noexcept {
    if (peer.uid == 0 || peer.uid == trusted.own_uid) {
        return true;
    }
    return trusted.has_group &&
           (peer.gid == trusted.group_gid ||
            std::ranges::find(peer.groups, trusted.group_gid) != peer.groups.end());
}

Result<PeerCredentials> peer_credentials(int socket) {
    ucred credentials{};
    socklen_t bytes = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0) {
        return socket_error("SO_PEERCRED");
    }
    return PeerCredentials{credentials.uid, credentials.gid, peer_groups(socket)};
}

TrustedAccounts trusted_accounts(std::string_view group) {
    TrustedAccounts out;
    out.own_uid = ::geteuid();
    const std::string name{group};
    std::array<char, kAccountBytes> buffer{};
    struct group entry {};
    struct group* found = nullptr;
    if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
        found != nullptr) {
        out.group_gid = entry.gr_gid;
        out.has_group = true;
    }
    return out;
}

std::string account_name(std::uint32_t uid) {
    std::array<char, kAccountBytes> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
        return entry.pw_name;
    }
    return "uid " + std::to_string(uid);
}

}  // namespace iotsky::api
