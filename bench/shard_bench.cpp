// What a PUBLISH costs one io thread from its bytes to the out-buffer of its one subscriber,
// without sockets and TLS, in ns per message:
//   shard_bench --benchmark_repetitions=9 --benchmark_report_aggregates_only
// Build it with the `release` preset, on a machine that does nothing else; the CPU column counts (a
// burst of 32 messages).

#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "acl/policy.hpp"
#include "acl/rule_set.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "broker/broker.hpp"
#include "broker/memory_log.hpp"
#include "broker/mqtt/encode_client.hpp"
#include "broker/out_buffer.hpp"

namespace {

using namespace iotsky;
using namespace iotsky::broker;

constexpr std::size_t kBurst = 32;  // PUBLISH packets of one read
constexpr const char* kAllowAll =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})";

/// Everybody is one thing, with the limits of its class or without.
class OneThing final : public IdentityDirectory {
  public:
    explicit OneThing(bool limits) {
        auto identity = std::make_shared<Identity>();
        identity->scope = identity->name = "7b/otter/weather";
        const acl::NamedPolicy policy{
            "allow", "1",
            std::make_shared<const acl::Policy>(acl::parse_policy(kAllowAll).value())};
        identity->rules = acl::compile_anonymous("plain", policy).value();
        if (limits) {
            identity->limits = ThingLimits{1'000'000'000, 1'000'000'000, 1U << 20U, 100, 1U << 30U};
        }
        admission_.code = mqtt::ConnectCode::accepted;
        admission_.identity = std::move(identity);
    }
    Admission admit(const PeerInfo&, const mqtt::ConnectView&) override { return admission_; }
    Admission refresh(const Identity&) override { return admission_; }
    Admission recall(std::string_view) override { return admission_; }

  private:
    Admission admission_;
};

class Untold final : public RefusalSink {
  public:
    void refused(const Refusal&) override {}
};

class Peer final : public Transport {
  public:
    [[nodiscard]] bool write(OutBuffer& out) override {
        out.consume(out.size());
        return true;
    }
    [[nodiscard]] const PeerInfo& peer() const override { return peer_; }
    void close() override {}

  private:
    PeerInfo peer_;
};

class Host final : public TransportHost {
  public:
    void attach(Transport&, ConnRef) override {}
    void detach(Transport&) override {}
    void resume(Transport&) override {}
};

/// One thread's data plane with a publisher and a subscriber.
struct Plane {
    explicit Plane(bool limits) : directory(limits) {
        log::set_level(log::Level::error);
        turn([] {});
        std::vector<std::byte> hello;
        mqtt::ConnectView connect;
        connect.client_id = "sub";
        mqtt::append_connect(hello, connect).value();
        const std::array<mqtt::SubscribeRequest, 1> filters{{{"a/b/c", mqtt::Qos::at_most_once}}};
        mqtt::append_subscribe(hello, 1, filters).value();
        turn([&] { read(open(), hello); });
        hello.clear();
        connect.client_id = "pub";
        mqtt::append_connect(hello, connect).value();
        turn([&] {
            publisher = open();
            read(publisher, hello);
        });
        turn([] {});
        const std::string payload(128, 'x');
        for (std::size_t i = 0; i < kBurst; ++i) {
            mqtt::PublishView publish;
            publish.topic = "a/b/c";
            publish.payload = as_bytes(payload);
            mqtt::append_publish(burst, publish).value();
        }
    }
    ConnRef open() { return shard.open(std::make_unique<Peer>(), now); }
    void read(ConnRef conn, std::span<const std::byte> bytes) {
        benchmark::DoNotOptimize(shard.on_bytes(conn, bytes));
    }
    template <typename F>
    void turn(F&& f) {
        now += std::chrono::microseconds{10};
        shard.begin_turn({now, {}});
        f();
        shard.on_time();
        shard.commit_turn();
        shard.flush();
    }

    TimePoint now{std::chrono::hours{1}};
    OneThing directory;
    Untold untold;
    SystemRandom random;
    MemoryLog log{{}, {}};
    Broker broker{{}, 1, log, directory, untold, random};
    Host host;
    Shard shard{0, broker.shared(), host, now};
    ConnRef publisher;
    std::vector<std::byte> burst;
};

void publish_qos0(benchmark::State& state) {
    Plane plane(state.range(0) != 0);
    for (auto _ : state) {
        plane.turn([&] { plane.read(plane.publisher, plane.burst); });
    }
    const auto& stats = *plane.broker.shared().stats[0];
    const auto bursts = static_cast<std::size_t>(state.iterations());
    if (stats.publishes_out[0].get() != bursts * kBurst) {
        state.SkipWithError("messages are missing");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(bursts * kBurst));
}
BENCHMARK(publish_qos0)->ArgName("limits")->Arg(0)->Arg(1);

}  // namespace
