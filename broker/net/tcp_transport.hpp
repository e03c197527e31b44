#pragma once

// Internal to broker/net.

#include "broker/net/socket_transport.hpp"

namespace iotsky::net {

/// Plain TCP (or any stream socket). One recv per read, one sendmsg per flush.
class TcpTransport : public SocketTransport {
  public:
    using SocketTransport::SocketTransport;
    [[nodiscard]] bool write(broker::OutBuffer& out) override;
    [[nodiscard]] ReadResult read(IoBuffers& buffers, std::size_t bytes_max) override;
    [[nodiscard]] bool send_plain(std::span<const std::byte> bytes) override {
        return send_or_keep(bytes);
    }

  protected:
    /// Puts at most kRecordPlainBytes behind what the cipher buffer holds, while that has room for
    /// them; push() sends it. False: broken.
    [[nodiscard]] bool stage(std::span<const std::byte> bytes);
};

}  // namespace iotsky::net
