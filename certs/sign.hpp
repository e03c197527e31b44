#pragma once

#include "base/error.hpp"
#include "certs/certificate.hpp"
#include "certs/certificate_template.hpp"
#include "certs/private_key.hpp"

namespace iotsky::certs {

/// Signs `asked` with SHA-256, reads the result back. `issuer` null: self-signed with `issuer_key`.
/// Does not judge what it signs: lint() does. Error: E5218. Thread: any (pure).
[[nodiscard]] Result<Certificate> sign(const CertificateTemplate& asked, const Certificate* issuer,
                                       const PrivateKey& issuer_key);

}  // namespace iotsky::certs
