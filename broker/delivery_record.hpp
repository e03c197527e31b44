#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "broker/message.hpp"
#include "broker/route_cache.hpp"

namespace iotsky::broker {

/// One routed message for the sessions of one other thread, as it lies in a MailChunk: the payload
/// once, then a list of targets. A payload from kBlobBytesMin on travels as a counted reference.
struct DeliveryRecord {
    MessageView message;  ///< views into the chunk; `blob` is not set, see `shared`
    BlobRef shared;       ///< set for large payloads
    std::vector<Target> targets;
};

/// Appends a record for `targets` (all of one thread). Takes one reference of `shared` along when
/// it is set.
void write_delivery(std::vector<std::byte>& chunk, const MessageView& message,
                    const BlobRef& shared, std::span<const Target> targets);

/// Reads the record at the front of `in` into `record` (its vectors are reused) and owns its
/// reference. False when the chunk ends.
[[nodiscard]] bool read_delivery(ByteReader& in, DeliveryRecord& record);

}  // namespace iotsky::broker
