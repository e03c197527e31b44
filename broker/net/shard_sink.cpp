#include "broker/net/shard_sink.hpp"

#include <utility>

#include "broker/shard.hpp"

namespace iotsky::net {
namespace {

class ShardSink final : public PollerSink {
  public:
    explicit ShardSink(broker::Shard& shard) noexcept : shard_(shard) {}

    void begin_turn(TimePoint now, WallTime wall) override { shard_.begin_turn({now, wall}); }
    broker::ConnRef open(std::unique_ptr<broker::Transport> transport,
                         TimePoint accepted_at) override {
        return shard_.open(std::move(transport), accepted_at);
    }
    [[nodiscard]] bool on_bytes(broker::ConnRef conn, std::span<const std::byte> bytes) override {
        return shard_.on_bytes(conn, bytes) == broker::Shard::After::go_on;
    }
    void on_writable(broker::ConnRef conn) override { shard_.on_writable(conn); }
    void on_peer_closed(broker::ConnRef conn, broker::CloseReason reason) override {
        shard_.on_peer_closed(conn, reason);
    }
    [[nodiscard]] bool reading_paused(broker::ConnRef conn) const override {
        return shard_.reading_paused(conn);
    }
    void on_time() override { shard_.on_time(); }
    void commit_turn() override { shard_.commit_turn(); }
    void flush() override { shard_.flush(); }
    [[nodiscard]] bool has_work() const override { return shard_.has_work(); }
    [[nodiscard]] bool may_sleep() override { return shard_.may_sleep(); }
    [[nodiscard]] std::optional<TimePoint> next_deadline() const override {
        return shard_.next_deadline();
    }
    void shut_down() override { shard_.shut_down(); }
    [[nodiscard]] std::size_t connections() const override { return shard_.connections(); }

  private:
    broker::Shard& shard_;
};

}  // namespace

std::unique_ptr<PollerSink> make_shard_sink(broker::Shard& shard) {
    return std::make_unique<ShardSink>(shard);
}

}  // namespace iotsky::net
