#pragma once

#include <memory>

#include "broker/net/poller_sink.hpp"

namespace iotsky::broker {
class Shard;
}  // namespace iotsky::broker

namespace iotsky::net {

/// The sink that is a broker::Shard, which must outlive it.
[[nodiscard]] std::unique_ptr<PollerSink> make_shard_sink(broker::Shard& shard);

}  // namespace iotsky::net
