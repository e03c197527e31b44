#include "broker/net/data_plane.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "broker/net/io_buffers.hpp"
#include "broker/net/listener_shared.hpp"
#include "broker/net/shard_sink.hpp"
#include "broker/shard.hpp"
#include "broker/shared.hpp"

namespace iotsky::net {
namespace {

FaultSums sums_of(const FaultCounts& counts) {
    FaultSums out;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (const std::uint64_t count = counts[i]; count > 0) {
            out.emplace_back(to_string(static_cast<HandshakeFault>(i)), count);
        }
    }
    return out;
}

PollerOptions with_limits(PollerOptions options, const broker::Limits& limits) {
    options.turn_bytes_max =
        std::clamp<std::size_t>(limits.turn_bytes_max, 1024, IoBuffers::kReadBytes);
    return options;
}

}  // namespace

DataPlane::DataPlane(broker::Shared& shared, PollerOptions options, const Clock& clock)
    : shared_(shared), io_(shared.threads, with_limits(options, shared.options.limits), clock) {
    for (unsigned i = 0; i < shared.threads; ++i) {
        shards_.push_back(std::make_unique<broker::Shard>(static_cast<broker::ThreadId>(i), shared,
                                                          io_.host(i), clock.now()));
        shared.mailboxes[i]->set_waker(&io_.waker(i), &io_.sleeper(i));
        shared.lanes[i]->set_waker(&io_.waker(i), &io_.sleeper(i));
    }
}

DataPlane::~DataPlane() {
    stop();
}

std::vector<broker::Waker*> DataPlane::wakers() {
    std::vector<broker::Waker*> out;
    for (unsigned i = 0; i < io_.size(); ++i) {
        out.push_back(&io_.waker(i));
    }
    return out;
}

void DataPlane::start() {
    std::vector<std::unique_ptr<PollerSink>> sinks;
    for (const auto& shard : shards_) {
        sinks.push_back(make_shard_sink(*shard));
    }
    io_.start(std::move(sinks));
    std::atomic<unsigned>& recovering = shared_.recovering;
    for (unsigned left = recovering.load(); left != 0; left = recovering.load()) {
        recovering.wait(left);
    }
    // What waited for the last of them, as the Wills of a broker that was killed.
    for (broker::Waker* waker : wakers()) {
        waker->wake();
    }
}

void DataPlane::serve(Listener&& listener) {
    listeners_.push_back(listener.shared());
    io_.serve(std::move(listener));
}

void DataPlane::change(const ListenerOptions& options) {
    for (const auto& listener : listeners_) {
        if (listener->options.name == options.name) {
            listener->change(options);
        }
    }
}

std::vector<ListenerSums> DataPlane::listeners() const {
    std::vector<ListenerSums> out;
    for (const auto& listener : listeners_) {
        const HandshakeCounters& tls = listener->handshakes;
        const WebSocketCounters& websockets = listener->websockets;
        out.push_back({listener->options.name, listener->options.protocol, tls.full, tls.resumed,
                       sums_of(tls.failed), websockets.opened, sums_of(websockets.failed)});
    }
    return out;
}

void DataPlane::stop(std::chrono::milliseconds drain) {
    io_.stop(drain);
}

}  // namespace iotsky::net
