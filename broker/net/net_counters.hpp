#pragma once

#include "base/metrics.hpp"

namespace iotsky::net {

/// One io thread's numbers; written by it, read by any thread.
struct NetCounters {
    Count accepted;
    Count refused_by_limit;     ///< closed at once: the address failed too often
    Count refused_descriptors;  ///< closed at once: no descriptor was free
    Count handshakes;           ///< finished
    Count handshakes_resumed;   ///< of these, with a session ticket
    Count handshakes_failed;
    Count handshakes_waiting;   ///< begun and not finished
    Count unfinished_connects;  ///< closed before any byte of ours went out
    Count bytes_received;       ///< plain bytes of MQTT
    Count turns;
    Count lingering;              ///< closed, last bytes on their way
    Histogram turn_seconds;       ///< length of a turn: the event loop's lag
    Histogram handshake_seconds;  ///< from accept to a finished handshake
};

}  // namespace iotsky::net
