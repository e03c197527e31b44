#include "certs/local_addresses.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <tuple>

#include "base/errno_text.hpp"

namespace iotsky::certs {
namespace {

struct FreeList {
    void operator()(ifaddrs* list) const noexcept { freeifaddrs(list); }
};

LocalAddress read_v4(const ifaddrs& entry) {
    sockaddr_in address{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    char text[INET_ADDRSTRLEN] = {};
    inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
    const std::uint32_t host = ntohl(address.sin_addr.s_addr);
    return {text, entry.ifa_name, (host >> 24U) == 127, (host >> 16U) == 0xa9fe};  // 169.254/16
}

LocalAddress read_v6(const ifaddrs& entry) {
    sockaddr_in6 address{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    char text[INET6_ADDRSTRLEN] = {};
    inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
    return {text, entry.ifa_name, IN6_IS_ADDR_LOOPBACK(&address.sin6_addr) != 0,
            IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr) != 0};
}

auto rank(const LocalAddress& address) {
    const bool v6 = address.text.find(':') != std::string::npos;
    return std::tuple{address.loopback, address.link_local, v6, address.text};
}

}  // namespace

std::vector<LocalAddress> sorted_addresses(std::vector<LocalAddress> addresses) {
    std::sort(addresses.begin(), addresses.end(), [](const auto& a, const auto& b) {
        return std::tuple_cat(rank(a), std::tuple{a.interface}) <
               std::tuple_cat(rank(b), std::tuple{b.interface});
    });
    // A link-local address may stand on several interfaces; in a certificate it has no zone.
    addresses.erase(std::unique(addresses.begin(), addresses.end(),
                                [](const auto& a, const auto& b) { return a.text == b.text; }),
                    addresses.end());
    return addresses;
}

Result<std::vector<LocalAddress>> local_addresses() {
    ifaddrs* head = nullptr;
    if (getifaddrs(&head) != 0) {
        return make_error(Errc::io, "E5216", "The addresses of this machine cannot be read.",
                          errno_text(errno) + ".",
                          "Give them in the configuration: addresses = [\"192.168.1.5\"]");
    }
    const std::unique_ptr<ifaddrs, FreeList> list{head};
    std::vector<LocalAddress> found;
    for (const ifaddrs* entry = head; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) {
            continue;
        }
        if (entry->ifa_addr->sa_family == AF_INET) {
            found.push_back(read_v4(*entry));
        } else if (entry->ifa_addr->sa_family == AF_INET6) {
            found.push_back(read_v6(*entry));
        }
    }
    return sorted_addresses(std::move(found));
}

std::vector<std::string> address_texts(const std::vector<LocalAddress>& addresses) {
    std::vector<std::string> texts;
    texts.reserve(addresses.size());
    for (const LocalAddress& address : addresses) {
        texts.push_back(address.text);
    }
    return texts;
}

}  // namespace iotsky::certs
