#pragma once

#include "broker/mqtt/decode_error.hpp"
#include "broker/mqtt/packet.hpp"

namespace iotsky::mqtt {

/// The variable header and payload of a CONNECT (section 3.1); part of decode().
[[nodiscard]] Decoded<ConnectView> decode_connect(Bytes body) noexcept;

}  // namespace iotsky::mqtt
