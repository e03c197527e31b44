#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace iotsky::certs {

/// SHA-256 of a certificate's DER (or of a public key's SubjectPublicKeyInfo). The name by which a
/// certificate is found; its hexadecimal form is AWS IoT's certificateId.
struct Fingerprint {
    std::array<std::uint8_t, 32> bytes{};

    [[nodiscard]] static Fingerprint of(std::span<const std::uint8_t> der);
    /// 64 hexadecimal digits of either case, or 32 pairs with colons between; else nullopt.
    [[nodiscard]] static std::optional<Fingerprint> parse(std::string_view text);

    /// 64 lower-case digits.
    [[nodiscard]] std::string hex() const;
    /// "9F:1C:...", as browsers and openssl show it.
    [[nodiscard]] std::string colon_hex() const;
    /// The first four bytes as four words, "otter-lamp-violet-seven": for reading out to a class.
    /// 32 bits tell a mistake from the truth, not an attacker who can make 2^32 certificates.
    [[nodiscard]] std::string words() const;

    friend auto operator<=>(const Fingerprint&, const Fingerprint&) = default;
};

}  // namespace iotsky::certs

template <>
struct std::hash<iotsky::certs::Fingerprint> {
    /// Bytes of a SHA-256: nobody can aim them at one bucket cheaply.
    std::size_t operator()(const iotsky::certs::Fingerprint& fingerprint) const noexcept {
        std::size_t value = 0;
        std::memcpy(&value, fingerprint.bytes.data(), sizeof value);
        return value;
    }
};
