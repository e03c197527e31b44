#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/mqtt/decode.hpp"

/// MQTT packets as text, for tables, fuzz targets and failed tests.
namespace iotsky::test {

/// "30 03 00 01 61" and "3003000161" alike; spaces are skipped. Throws std::invalid_argument.
[[nodiscard]] std::vector<std::byte> from_hex(std::string_view hex);
/// "3003000161".
[[nodiscard]] std::string hex(mqtt::Bytes bytes);

/// One line, e.g. "PUBLISH dup=0 qos=1 retain=0 topic=a/b id=10 payload=6869".
[[nodiscard]] std::string describe(const mqtt::PacketView& packet);

/// The packet encoded again, by the broker's or the client's encoders.
[[nodiscard]] std::vector<std::byte> reencode(const mqtt::PacketView& packet);

/// The frame of one whole packet. Throws std::invalid_argument if it is none.
[[nodiscard]] mqtt::Frame frame_of(mqtt::Bytes packet);

/// Visitor made of lambdas.
template <typename... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace iotsky::test
