// Cost of the codec on the hot path: ns per packet. Budget: a PUBLISH of 128 bytes decodes in < 50
// ns.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "broker/mqtt/decode.hpp"
#include "broker/mqtt/encode.hpp"
#include "broker/mqtt/encode_client.hpp"
#include "broker/mqtt/topic.hpp"

namespace {

using namespace iotsky::mqtt;

constexpr std::string_view kTopic = "7b/otter/weather/temperature";

std::vector<std::byte> publish_packet(Qos qos) {
    const std::string payload(128, 'p');
    std::vector<std::byte> packet;
    append_publish(packet, {false, qos, false, kTopic, 7, as_bytes(payload)}).value();
    return packet;
}

void decode_publish_128(benchmark::State& state) {
    const auto packet = publish_packet(static_cast<Qos>(state.range(0)));
    Framer framer(65'536);
    for (auto _ : state) {
        Bytes in(packet);
        const FrameResult result = framer.next(in);
        benchmark::DoNotOptimize(decode_publish(result.frame));
    }
}
BENCHMARK(decode_publish_128)->Arg(0)->Arg(1);

void decode_any_publish_128(benchmark::State& state) {
    const auto packet = publish_packet(Qos::at_least_once);
    Framer framer(65'536);
    for (auto _ : state) {
        Bytes in(packet);
        const FrameResult result = framer.next(in);
        benchmark::DoNotOptimize(decode(result.frame, Direction::from_client));
    }
}
BENCHMARK(decode_any_publish_128);

void decode_puback(benchmark::State& state) {
    const auto packet = encode_ack(PacketType::puback, 7);
    Framer framer(65'536);
    for (auto _ : state) {
        Bytes in(packet);
        const FrameResult result = framer.next(in);
        benchmark::DoNotOptimize(decode(result.frame, Direction::from_client));
    }
}
BENCHMARK(decode_puback);

/// One encoding, copied and patched for a subscriber.
void copy_and_patch_publish_128(benchmark::State& state) {
    const std::size_t bytes = publish_size(kTopic.size(), 128, Qos::at_least_once);
    std::vector<std::byte> encoded(bytes);
    const PublishHead head =
        encode_publish_head(encoded, {false, Qos::at_least_once, false}, kTopic, 1, 128);
    std::vector<std::byte> out(bytes);
    std::uint16_t packet_id = 0;
    for (auto _ : state) {
        std::copy(encoded.begin(), encoded.end(), out.begin());
        patch_packet_id(out, head, ++packet_id);
        benchmark::ClobberMemory();
    }
}
BENCHMARK(copy_and_patch_publish_128);

void encode_publish_head_128(benchmark::State& state) {
    std::vector<std::byte> out(publish_size(kTopic.size(), 128, Qos::at_least_once));
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            encode_publish_head(out, {false, Qos::at_least_once, false}, kTopic, 1, 128));
        benchmark::ClobberMemory();
    }
}
BENCHMARK(encode_publish_head_128);

void match_filter(benchmark::State& state) {
    const std::string_view filter = state.range(0) == 0 ? "7b/+/weather/#" : kTopic;
    for (auto _ : state) {
        benchmark::DoNotOptimize(matches(filter, kTopic));
    }
}
BENCHMARK(match_filter)->Arg(0)->Arg(1);

}  // namespace

BENCHMARK_MAIN();
