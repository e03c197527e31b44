#pragma once

#include <array>
#include <cstddef>

#include "base/metrics.hpp"

namespace iotsky::broker {

/// Counters of one io thread: written by it alone, read by any thread for metrics, $SYS and status.
struct ShardStats {
    Count connections;  ///< now
    Count connects_accepted;
    Count connects_refused;
    Count disconnects;
    Count sessions;               ///< now, on- and offline
    Count sessions_persistent;    ///< now
    Count take_overs_same_board;  ///< from the address that the session's connection had
    Count take_overs_clone;       ///< from another address
    Count clones_refused;
    Count sessions_expired;
    Count subscriptions;                 ///< now
    std::array<Count, 3> publishes_in;   ///< by QoS
    std::array<Count, 3> publishes_out;  ///< by delivered QoS
    Count bytes_in;
    Count bytes_out;
    Count payload_bytes_in;
    Count payload_bytes_out;
    Count packets_in;
    Count dropped_quota;     ///< a session's queue was full
    Count dropped_expired;   ///< waited in a queue for too long
    Count dropped_denied;    ///< iot:Receive no longer allowed at delivery
    Count dropped_output;    ///< QoS 0 for a reader that is too slow
    Count dropped_memory;    ///< shed above the memory mark (R4)
    Count slowed_publish;    ///< pauses of a client that publishes faster than its class allows
    Count slowed_receiver;   ///< acknowledgements held back because a receiver is slow (R3)
    Count refused_full;      ///< PUBLISHes not taken because a receiver's queue is full
    Count service_timeouts;  ///< services that did not answer in time
    Count slowed_subscribe;  ///< pauses of a client that changes its subscriptions too fast
    Count refused_publish;
    Count refused_subscribe;
    Count refused_will;
    Count protocol_errors;
    Count keep_alive_timeouts;
    Count queued_messages;  ///< now, QoS 1 and 2, in flight included
    Count queued_bytes;     ///< now
    Count records;          ///< turns that appended records
    Count adoptions;        ///< transports that moved here
};

}  // namespace iotsky::broker
