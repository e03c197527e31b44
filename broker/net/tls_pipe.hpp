#pragma once

// Internal to broker/net.

#include <cstddef>
#include <span>

#include "broker/net/io_buffers.hpp"
#include "broker/net/tls_ossl.hpp"

namespace iotsky::net {

/// Both ends of what OpenSSL takes for its network: it reads the slice that is lent to it and
/// writes into the thread's cipher buffer. It never sees a descriptor, so one call of it is as long
/// as we make the slice. Confined to its connection's thread; lent parts are valid during one call.
struct TlsPipe {
    std::span<const std::byte> in;  ///< whole records, not yet taken
    IoBuffers* out = nullptr;
    bool stop = false;  ///< give it nothing more: the peer floods
};

/// A BIO over `pipe`, which must outlive it.
[[nodiscard]] ossl::BioPtr make_pipe_bio(TlsPipe& pipe);

}  // namespace iotsky::net
