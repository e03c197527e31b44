#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "certs/certificate.hpp"
#include "certs/private_key.hpp"
#include "certs/serial.hpp"

namespace iotsky::certs {

/// RFC 5280 5.3.1; the values are those of the standard.
enum class RevocationReason : unsigned char {
    unspecified = 0,
    key_compromise = 1,
    affiliation_changed = 3,
    superseded = 4,
    cessation_of_operation = 5,
    certificate_hold = 6,
};

struct RevokedCertificate {
    Serial serial;
    WallTime when{};
    RevocationReason reason = RevocationReason::unspecified;
};

/// A signed certificate revocation list, for third parties; our own broker asks its registry.
struct Crl {
    std::vector<std::uint8_t> der;
    std::string pem;
};

/// Life of a list: the next one is promised within this time.
inline constexpr std::chrono::hours kCrlLife{24 * 7};

/// A list of `revoked` (each serial once, the first entry counts), signed by `issuer`'s `key`. CRL
/// number: `now` in milliseconds, so that it grows with each list. Error: E5218.
/// Thread: any (pure).
[[nodiscard]] Result<Crl> make_crl(std::span<const RevokedCertificate> revoked,
                                   const Certificate& issuer, const PrivateKey& key, WallTime now);

}  // namespace iotsky::certs
