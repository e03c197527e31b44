#include "broker/net/peer_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace iotsky::net {
namespace {

constexpr std::size_t kPrefixBytes = 8;  // of an IPv6 address: /64

Endpoint describe_v4(const in_addr& address, in_port_t port) {
    std::array<char, INET_ADDRSTRLEN> text{};
    inet_ntop(AF_INET, &address, text.data(), text.size());
    Endpoint out{text.data(), ntohs(port), {}};
    out.key.bytes[10] = out.key.bytes[11] = 0xff;
    std::memcpy(out.key.bytes.data() + 12, &address, sizeof(address));
    return out;
}

Endpoint describe_v6(const sockaddr_in6& address) {
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
        in_addr v4{};
        std::memcpy(&v4, address.sin6_addr.s6_addr + 12, sizeof(v4));
        return describe_v4(v4, address.sin6_port);
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
    Endpoint out{text.data(), ntohs(address.sin6_port), {}};
    std::copy_n(address.sin6_addr.s6_addr, kPrefixBytes, out.key.bytes.begin());
    return out;
}

}  // namespace

Endpoint describe(const sockaddr_storage& address) {
    if (address.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &address, sizeof(v4));
        return describe_v4(v4.sin_addr, v4.sin_port);
    }
    if (address.ss_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &address, sizeof(v6));
        return describe_v6(v6);
    }
    return {};
}

}  // namespace iotsky::net
