#include "broker/net/tls_records.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "broker/net/io_buffers.hpp"

namespace iotsky::net {
namespace {

constexpr std::size_t kHeaderBytes = 5;
constexpr std::uint8_t kFirstType = 20;  // change_cipher_spec
constexpr std::uint8_t kLastType = 24;   // heartbeat; OpenSSL refuses it itself
constexpr std::uint8_t kHandshakeType = 22;
constexpr std::uint8_t kMqttConnect = 0x10;

std::uint8_t at(std::span<const std::byte> in, std::size_t i) noexcept {
    return std::to_integer<std::uint8_t>(in[i]);
}

}  // namespace

WholeRecords whole_records(std::span<const std::byte> in, std::size_t slice_max) noexcept {
    WholeRecords out;
    while (in.size() - out.bytes >= kHeaderBytes) {
        const std::span<const std::byte> record = in.subspan(out.bytes);
        const std::size_t body = (std::size_t{at(record, 3)} << 8U) | at(record, 4);
        const std::uint8_t type = at(record, 0);
        if (type < kFirstType || type > kLastType || body > kRecordBodyBytesMax) {
            out.malformed = true;
            break;
        }
        const std::size_t length = kHeaderBytes + body;
        if (length > record.size() || (out.bytes > 0 && out.bytes + length > slice_max)) {
            break;
        }
        out.bytes += length;
    }
    return out;
}

FirstBytes classify_first_bytes(std::span<const std::byte> in) noexcept {
    if (at(in, 0) == kHandshakeType) {
        return FirstBytes::tls;
    }
    if (at(in, 0) == kMqttConnect) {
        return FirstBytes::mqtt;
    }
    const std::string_view text{reinterpret_cast<const char*>(in.data()), in.size()};
    constexpr std::array<std::string_view, 7> kMethods{"GET ",    "POST ",    "HEAD ", "PUT ",
                                                       "DELETE ", "OPTIONS ", "PATCH "};
    const bool http = std::ranges::any_of(kMethods, [&](std::string_view method) {
        return text.substr(0, method.size()) == method.substr(0, text.size());
    });
    return http ? FirstBytes::http : FirstBytes::other;
}

}  // namespace iotsky::net
