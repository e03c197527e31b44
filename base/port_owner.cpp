#include "base/port_owner.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

namespace iotsky {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kListening = "0A";

/// The inode in one line of /proc/net/tcp if it is a listener on `port`; "" otherwise.
/// Columns: sl local_address rem_address st queues timer retransmits uid timeout inode ...
std::string listening_inode(const std::string& line, std::uint16_t port) {
    std::istringstream in(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    in >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
        inode;
    const std::size_t colon = local.rfind(':');
    if (state != kListening || colon == std::string::npos) {
        return {};
    }
    std::uint16_t found = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
    return found == port ? inode : std::string{};
}

std::vector<std::string> listening_inodes(std::uint16_t port) {
    std::vector<std::string> inodes;
    for (const char* file : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream in(file);
        std::string line;
        std::getline(in, line);  // headings
        while (std::getline(in, line)) {
            if (std::string inode = listening_inode(line, port); !inode.empty()) {
                inodes.push_back(std::move(inode));
            }
        }
    }
    return inodes;
}

bool holds_socket(const fs::path& process, const std::string& inode) {
    const std::string wanted = "socket:[" + inode + "]";
    std::error_code ignored;  // another user's process, or one that ended meanwhile
    for (fs::directory_iterator it(process / "fd", ignored), end; it != end;
         it.increment(ignored)) {
        if (fs::read_symlink(it->path(), ignored).string() == wanted) {
            return true;
        }
    }
    return false;
}

std::optional<PortOwner> process_of(const std::string& inode) {
    std::error_code ignored;
    for (fs::directory_iterator it("/proc", ignored), end; it != end; it.increment(ignored)) {
        const std::string name = it->path().filename();
        int pid = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (parsed.ptr != name.data() + name.size() || !holds_socket(it->path(), inode)) {
            continue;
        }
        PortOwner owner{{}, pid};
        std::ifstream comm(it->path() / "comm");
        std::getline(comm, owner.name);
        return owner;
    }
    return std::nullopt;
}

}  // namespace

std::optional<PortOwner> find_port_owner(std::uint16_t port) {
    const std::vector<std::string> inodes = listening_inodes(port);
    for (const std::string& inode : inodes) {
        if (auto owner = process_of(inode)) {
            return owner;
        }
    }
    return inodes.empty() ? std::nullopt : std::optional{PortOwner{}};
}

Error port_taken(std::uint16_t port) {
    const auto owner = find_port_owner(port);
    const std::string name = owner && !owner->name.empty() ? owner->name : "another program";
    const std::string pid =
        owner && owner->pid != 0 ? " (pid " + std::to_string(owner->pid) + ")" : "";
    return make_error(Errc::conflict, "E1101",
                      "Port " + std::to_string(port) + " is already used by " + name + pid + ".",
                      "Two programs cannot share a port.",
                      "Stop it (sudo systemctl disable --now " +
                          (owner && !owner->name.empty() ? owner->name : "NAME") +
                          "), or choose another port in bind = \"host:port\".");
}

}  // namespace iotsky
