#include "broker/net/listener_shared.hpp"

#include <utility>

#include "broker/net/tcp_transport.hpp"
#include "broker/net/tls_transport.hpp"

namespace iotsky::net {

std::unique_ptr<SocketTransport> ListenerShared::make_transport(SocketTransport::Origin&& origin) {
    if (options.protocol == Protocol::mqtts) {
        return std::make_unique<TlsTransport>(std::move(origin), tls->get());
    }
    return std::make_unique<TcpTransport>(std::move(origin));
}

}  // namespace iotsky::net
