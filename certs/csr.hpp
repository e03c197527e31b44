#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "certs/public_key.hpp"

namespace iotsky::certs {

inline constexpr std::size_t kCsrBytesMax = std::size_t{16} * 1024;

/// A PKCS#10 request that was checked: whoever sent it holds the private key.
struct Csr {
    std::string common_name;  ///< 1-64 characters, UTF-8 without control characters.
    PublicKey public_key;     ///< P-256, P-384 or RSA 2048-4096.
};

/// Reads a request, PEM or DER, as it came from a stranger. Everything in it but the common name
/// and the key is ignored: what a certificate says is our decision.
/// Errors: E5220 longer than 16 KiB, E5221 not a request, E5222 bytes after it, E5223 signature
/// wrong, E5224 key type, E5225 key size, E5226 common name missing, twice, too long or not
/// printable.
/// Thread: any (pure).
[[nodiscard]] Result<Csr> parse_csr(std::string_view pem_or_der);

}  // namespace iotsky::certs
