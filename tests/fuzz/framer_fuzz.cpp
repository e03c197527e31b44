// Input: one byte that chooses direction and piece sizes, then a stream of packets.
// Promises: the stream gives the same packets however it is cut; what decodes encodes to the same
// bytes; memory follows what came; one fault ends everything.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/assert.hpp"
#include "broker/mqtt/decode.hpp"
#include "tests/support/mqtt_text.hpp"

namespace {

using namespace iotsky;
using namespace iotsky::mqtt;

constexpr std::uint32_t kPacketBytesMax = 4096;

/// Decoding, and when that succeeds encoding and decoding again.
void check_frame(const Frame& frame, Direction direction) {
    const auto decoded = decode(frame, direction);
    if (frame.type() == PacketType::publish) {
        const auto fast = decode_publish(frame);
        IOTSKY_ASSERT(fast.has_value() == decoded.has_value());
    }
    if (!decoded) {
        IOTSKY_ASSERT(!text(decoded.error()).empty());
        return;
    }
    const auto packet = test::reencode(*decoded);
    const Frame again = test::frame_of(packet);
    IOTSKY_ASSERT(again.first_byte == frame.first_byte);
    IOTSKY_ASSERT(std::ranges::equal(again.body, frame.body));
    IOTSKY_ASSERT(test::describe(*decode(again, direction)) == test::describe(*decoded));
}

struct Outcome {
    std::string packets;
    FrameResult::Kind end = FrameResult::Kind::need_more;
    DecodeError error{};
    bool operator==(const Outcome&) const = default;
};

/// Pieces of 1 to `piece_max` bytes, sizes drawn from `seed`; the whole at once with 0.
Outcome cut(Bytes stream, std::size_t piece_max, std::uint32_t seed) {
    Framer framer(kPacketBytesMax);
    Outcome outcome;
    while (!stream.empty()) {
        seed = seed * 1'664'525U + 1'013'904'223U;
        const std::size_t n = piece_max == 0 ? stream.size() : 1 + (seed >> 16U) % piece_max;
        Bytes in = stream.first(std::min(n, stream.size()));
        stream = stream.subspan(in.size());
        FrameResult result;
        while ((result = framer.next(in)).kind == FrameResult::Kind::frame) {
            outcome.packets += static_cast<char>(result.frame.first_byte);
            outcome.packets += as_text(result.frame.body);
        }
        IOTSKY_ASSERT(framer.heap_bytes() <= 2 * framer.partial_bytes());
        outcome.end = result.kind;
        outcome.error = result.error;
        if (result.kind == FrameResult::Kind::error) {
            break;
        }
        IOTSKY_ASSERT(in.empty());
    }
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const auto direction = (data[0] & 1U) != 0 ? Direction::from_server : Direction::from_client;
    const Bytes stream = std::as_bytes(std::span(data, size)).subspan(1);

    const Outcome whole = cut(stream, 0, 0);
    IOTSKY_ASSERT(cut(stream, 1, 0) == whole);
    IOTSKY_ASSERT(cut(stream, 2U + (data[0] >> 1U), data[0]) == whole);

    Framer framer(kPacketBytesMax);
    Bytes in = stream;
    FrameResult result;
    while ((result = framer.next(in)).kind == FrameResult::Kind::frame) {
        check_frame(result.frame, direction);
    }
    // A body without the framer in front: mutations of the input need not keep lengths in step.
    check_frame({data[1], stream.subspan(1), size}, direction);
    return 0;
}
