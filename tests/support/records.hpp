#pragma once

#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "broker/records.hpp"

/// Records of the log as tests write them down.
namespace iotsky::test {

/// What one turn of an io thread appends.
template <typename... Records>
[[nodiscard]] broker::RecordChunk turn(const Records&... records) {
    broker::RecordWriter out;
    (out.add(records), ...);
    return out.take();
}

[[nodiscard]] inline broker::PublishRecord publish(broker::Mid mid,
                                                   std::span<const broker::PublishTarget> targets) {
    broker::PublishRecord r{};
    r.mid = mid;
    r.qos = 1;
    r.topic = "t";
    r.payload = as_bytes("payload");
    r.targets = targets;
    return r;
}

/// A retained message for nobody in particular; an empty payload clears.
[[nodiscard]] inline broker::PublishRecord retain(broker::Mid mid, std::string_view topic,
                                                  std::string_view payload, broker::Rev rev) {
    broker::PublishRecord r{};
    r.mid = mid;
    r.topic = topic;
    r.payload = as_bytes(payload);
    r.retain = true;
    r.retained_rev = rev;
    return r;
}

}  // namespace iotsky::test
