#pragma once

// Internal: included by .cpp files of certs/ only.

#include "certs/certificate.hpp"
#include "certs/ossl_ptr.hpp"

namespace iotsky::certs {

/// The certificate as OpenSSL's object; never null for one that parse() made.
[[nodiscard]] ossl::Cert to_x509(const Certificate& certificate);

}  // namespace iotsky::certs
