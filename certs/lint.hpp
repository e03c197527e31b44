#pragma once

#include <span>

#include "base/error.hpp"
#include "certs/certificate.hpp"
#include "certs/certificate_template.hpp"

namespace iotsky::certs {

/// Compares every field of `made`, as read back from its bytes, with what was asked for; `issuer`
/// null: self-signed. Nothing may be missing, nothing more may be there.
/// Error: E5214 naming the field. Thread: any (pure).
[[nodiscard]] Result<void> lint(const Certificate& made, const CertificateTemplate& asked,
                                const Certificate* issuer);

enum class ChainUse : unsigned char { tls_client, tls_server };

/// Verifies leaf -> intermediates -> root at time `at` with OpenSSL, strict RFC 5280 checks on.
/// Error: E5214 with OpenSSL's reason. Thread: any (pure).
[[nodiscard]] Result<void> verify_chain(const Certificate& leaf,
                                        std::span<const Certificate> intermediates,
                                        const Certificate& root, ChainUse use, WallTime at);

/// Whether `issuer`'s key signed `certificate` and its name stands in it; dates are not looked at.
[[nodiscard]] bool is_signed_by(const Certificate& certificate, const Certificate& issuer);

}  // namespace iotsky::certs
