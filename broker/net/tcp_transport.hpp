#pragma once

// Internal to broker/net.

#include "broker/net/socket_transport.hpp"

namespace iotsky::net {

/// Plain TCP (or any stream socket). One recv per read, one sendmsg per flush.
class TcpTransport final : public SocketTransport {
  public:
    using SocketTransport::SocketTransport;
    [[nodiscard]] bool write(broker::OutBuffer& out) override;
    [[nodiscard]] ReadResult read(IoBuffers& buffers, std::size_t bytes_max) override;
};

}  // namespace iotsky::net
