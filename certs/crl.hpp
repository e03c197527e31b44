#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
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

}  // namespace iotsky::certs
