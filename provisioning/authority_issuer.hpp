#pragma once

#include <memory>
#include <string>

#include "base/random.hpp"
#include "provisioning/certificate_issuer.hpp"

namespace iotsky::certs {
class Authority;
}

namespace iotsky::provisioning {

/// The installation's own device CA as the registry's issuer. Any thread.
class AuthorityIssuer final : public CertificateIssuer {
  public:
    /// `site` stands in the SAN URI: "iotsky:<site>:<class>:<project>:<thing>".
    AuthorityIssuer(std::shared_ptr<const certs::Authority> authority, std::string site,
                    Random& random);

    [[nodiscard]] std::string issuer_key_id() const override;
    [[nodiscard]] certs::Serial new_serial() override;
    [[nodiscard]] Result<void> check_csr(std::string_view csr) const override;
    [[nodiscard]] Result<IssuedCertificate> issue(const CertificateOrder& order,
                                                  WallTime now) override;

  private:
    std::shared_ptr<const certs::Authority> authority_;
    std::string site_;
    Random& random_;
};

}  // namespace iotsky::provisioning
