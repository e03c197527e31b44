#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "certs/fingerprint.hpp"

namespace iotsky::certs {

enum class KeyAlgorithm : unsigned char { p256, p384, rsa, other };

/// "P-256", "P-384", "RSA", "other".
[[nodiscard]] std::string_view to_string(KeyAlgorithm algorithm) noexcept;

/// A public key as a value. Thread: any (pure).
struct PublicKey {
    std::vector<std::uint8_t> spki_der;  ///< SubjectPublicKeyInfo, DER.
    KeyAlgorithm algorithm = KeyAlgorithm::other;
    int bits = 0;

    /// SHA-256 of `spki_der`: the same key under two certificates has the same one.
    [[nodiscard]] Fingerprint fingerprint() const { return Fingerprint::of(spki_der); }
    friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

}  // namespace iotsky::certs
