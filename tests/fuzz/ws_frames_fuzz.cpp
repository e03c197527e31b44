// Input: one byte that chooses piece sizes, then what a client sends: the head of a request, or
// frames.
// Promises: frames give the same however they are cut; memory does not follow announced lengths;
// data is never more than what came; every head is answered with a whole HTTP response.
#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "broker/net/ws_frames.hpp"
#include "broker/net/ws_upgrade.hpp"

namespace {

using namespace iotsky;
using namespace iotsky::net;

struct Outcome {
    std::string data;
    std::string last_ping;
    bool ended = false;
    std::uint16_t status = 0;
    WsFault fault = WsFault::none;
    bool operator==(const Outcome&) const = default;
};

/// Pieces of 1 to `piece_max` bytes, sizes drawn from `seed`; the whole at once with 0.
Outcome cut(std::span<const std::byte> stream, std::size_t piece_max, std::uint32_t seed) {
    WsDecoder decoder;
    Outcome outcome;
    std::vector<std::byte> piece;
    while (!stream.empty() && !outcome.ended) {
        seed = seed * 1'664'525U + 1'013'904'223U;
        const std::size_t n = piece_max == 0 ? stream.size() : 1 + (seed >> 16U) % piece_max;
        const auto in = stream.first(std::min(n, stream.size()));
        stream = stream.subspan(in.size());
        piece.assign(in.begin(), in.end());
        const WsInput input = decoder.decode(piece);
        IOTSKY_ASSERT(input.data.size() <= in.size());
        IOTSKY_ASSERT(decoder.heap_bytes() <= 250);
        IOTSKY_ASSERT(input.fault == WsFault::none || input.ended);
        outcome.data += as_text(input.data);
        if (input.pinged) {
            outcome.last_ping = as_text(decoder.ping());
        }
        outcome.ended = input.ended;
        outcome.status = input.status;
        outcome.fault = input.fault;
    }
    return outcome;
}

void check_head(std::span<const std::byte> in) {
    WsOptions options;
    options.host_names = {"iotsky.local"};
    for (const bool tls : {false, true}) {
        const WsAnswer answer = answer_upgrade(as_text(in), options, tls);
        IOTSKY_ASSERT(answer.text.starts_with(answer.fault ? "HTTP/1.1 4" : "HTTP/1.1 101 "));
        IOTSKY_ASSERT(http_head_bytes(as_bytes(answer.text)).has_value());
        // What is served was recognised by its first bytes as well.
        IOTSKY_ASSERT(answer.fault || ws_target(in, options.path) == WsTarget::mqtt);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const auto stream = std::as_bytes(std::span(data, size)).subspan(1);
    const Outcome whole = cut(stream, 0, 0);
    IOTSKY_ASSERT(cut(stream, 1, 0) == whole);
    IOTSKY_ASSERT(cut(stream, 2U + data[0], data[0]) == whole);
    check_head(stream);
    return 0;
}
