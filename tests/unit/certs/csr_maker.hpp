#pragma once

#include <string>

namespace iotsky::certs::test {

/// What to put into a request that a test sends.
struct CsrWish {
    std::string key = "P-256";  ///< "P-256", "P-384", "P-521", "RSA", "RSA3" (exponent 3),
                                ///< "ED25519", "P-256 explicit", "P-256 compressed".
    unsigned rsa_bits = 2048;
    std::string common_name = "weather";  ///< UTF-8; may hold any byte.
    int common_names = 1;
    bool wrong_signature = false;
    bool pem = true;
};

[[nodiscard]] std::string make_csr(const CsrWish& wish);

}  // namespace iotsky::certs::test
