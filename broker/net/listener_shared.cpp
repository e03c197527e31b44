#include "broker/net/listener_shared.hpp"

#include <utility>

#include "broker/net/tcp_transport.hpp"
#include "broker/net/tls_transport.hpp"
#include "broker/net/ws_transport.hpp"

namespace iotsky::net {

std::unique_ptr<SocketTransport> ListenerShared::make_transport(SocketTransport::Origin&& origin) {
    switch (options.protocol) {
        case Protocol::mqtt:
            break;
        case Protocol::mqtts:
            return std::make_unique<TlsTransport>(std::move(origin), tls->get());
        case Protocol::ws:
            return std::make_unique<WsTransport<TcpTransport>>(std::move(origin));
        case Protocol::wss:
        case Protocol::https:
            return std::make_unique<WsTransport<TlsTransport>>(std::move(origin), tls->get());
    }
    return std::make_unique<TcpTransport>(std::move(origin));
}

}  // namespace iotsky::net
