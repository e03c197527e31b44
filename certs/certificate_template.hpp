#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "certs/certificate.hpp"
#include "certs/public_key.hpp"
#include "certs/serial.hpp"

namespace iotsky::certs {

/// Everything that a certificate of ours says. sign() writes it, lint() compares with it.
struct CertificateTemplate {
    std::string common_name;
    std::string organization;  ///< Of CAs: the site; empty: none.
    Serial serial;
    WallTime not_before{};
    WallTime not_after{};
    bool ca = false;
    std::optional<long> path_length;     ///< With `ca` only.
    std::vector<std::string> key_usage;  ///< Names of RFC 5280, in bit order.
    std::string extended_key_usage;      ///< "clientAuth", "serverAuth" or empty.
    std::vector<std::string> dns;        ///< dNSNames.
    std::vector<std::string> addresses;  ///< iPAddresses, text.
    std::string uri;                     ///< One uniformResourceIdentifier, or empty.
    PublicKey key;
};

}  // namespace iotsky::certs
