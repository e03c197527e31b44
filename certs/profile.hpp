#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "certs/serial.hpp"

namespace iotsky::certs {

/// 2049-12-31T23:59:59Z: end of everything we sign, the last moment that UTCTime can write. CAs and
/// the MQTT server leaf end here, and device certificates of the AWS-shaped API.
inline constexpr std::int64_t kEndUnixS = 2524607999;
[[nodiscard]] inline WallTime end_of_2049() noexcept {
    return from_unix_s(kEndUnixS);
}
/// notBefore of the server chain: a device without a clock believes it is 1970.
[[nodiscard]] inline WallTime start_of_1970() noexcept {
    return from_unix_s(0);
}
/// notBefore of a device or web certificate lies so much before its making, for clocks that are
/// off.
inline constexpr std::chrono::minutes kClockSlack{5};
/// Longest life of a web certificate; browsers refuse longer ones.
inline constexpr std::chrono::hours kWebLeafLife{24 * 397};
/// Life of a device certificate without a class.
inline constexpr std::chrono::hours kClasslessDeviceLife{24 * 397};
/// A device certificate outlives its class's last day of grace by so much.
inline constexpr std::chrono::hours kAfterClassLife{24 * 90};

/// What a device certificate shall say. The policy behind the values is provisioning's.
struct DeviceRequest {
    std::string common_name;  ///< 1-64 characters, UTF-8 without control characters.
    /// "iotsky:<site>:<class>:<project>:<thing>": "iotsky:" and 1-249 of [A-Za-z0-9:_.-]; empty:
    /// the certificate gets no SAN.
    std::string san_uri;
    WallTime not_after{};  ///< After now, at most end_of_2049().
    Serial serial;         ///< From new_serial(), recorded before.
};

/// A common name of at most 64 characters (X.520's limit) for a thing's path: the whole path, else
/// without its leading parts.
[[nodiscard]] std::string fit_common_name(std::string_view path);

}  // namespace iotsky::certs
