#include "broker/net/listener_shared.hpp"

#include <utility>

#include "broker/net/tcp_transport.hpp"

namespace iotsky::net {

std::unique_ptr<SocketTransport> ListenerShared::make_transport(SocketTransport::Origin&& origin) {
    return std::make_unique<TcpTransport>(std::move(origin));
}

}  // namespace iotsky::net
