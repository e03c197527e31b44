#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "certs/fingerprint.hpp"
#include "certs/serial.hpp"

namespace iotsky::provisioning {

/// What a device certificate shall say.
struct CertificateOrder {
    std::string common_name;  ///< thing path or service name; cut to fit by the issuer
    std::string name_uri;     ///< "class:project:thing", "service:NAME"; becomes the SAN URI
    certs::Serial serial;     ///< recorded and committed before
    WallTime not_after{};
    std::string key_type;  ///< "p256" | "rsa2048"; ignored with a csr
    std::string csr;       ///< PEM; empty: the issuer makes the key
};

struct IssuedCertificate {
    std::string pem;
    certs::Fingerprint fingerprint;
    WallTime not_before{};
    WallTime not_after{};
    std::string key_type;                     ///< "p256" | "p384" | "rsa2048" ...
    std::optional<SecretString> private_key;  ///< PEM; only when the issuer made it
};

/// The device CA as the registry needs it. Thread: any; issue() costs a key and a signature, so it
/// is called on `work` threads, never inside a transaction.
class CertificateIssuer {
  public:
    virtual ~CertificateIssuer() = default;
    /// Key identifier of the CA that signs, hexadecimal: with the serial it names a certificate.
    [[nodiscard]] virtual std::string issuer_key_id() const = 0;
    [[nodiscard]] virtual certs::Serial new_serial() = 0;
    /// Looks at a request without signing. Errors: E522x of the CA.
    [[nodiscard]] virtual Result<void> check_csr(std::string_view csr) const = 0;
    /// Errors: E52xx of the CA.
    [[nodiscard]] virtual Result<IssuedCertificate> issue(const CertificateOrder& order,
                                                          WallTime now) = 0;
};

}  // namespace iotsky::provisioning
