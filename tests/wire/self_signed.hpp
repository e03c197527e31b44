#pragma once

#include <memory>

namespace iotsky::net {
class TlsSlot;
}

namespace iotsky::wire {

/// TLS with a certificate of its own that nobody needs to trust, and without client certificates.
[[nodiscard]] std::shared_ptr<net::TlsSlot> self_signed();

}  // namespace iotsky::wire
