#pragma once

#include "provisioning/step.hpp"

namespace iotsky::provisioning {

/// Binds the certificate to its thing; a renewal takes over things and policies of the old one.
/// Event: certificate.attached.
/// Errors: E5243 revoked, E2112 the thing was deleted meanwhile.
class Attach final : public Step {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "attach"; }
    [[nodiscard]] std::string_view summary() const noexcept override {
        return "binds the certificate to its thing";
    }
    [[nodiscard]] Result<void> run(Order& order) override;
    void undo(Order& order) noexcept override;
};

/// E5243: a revoked certificate stays revoked.
[[nodiscard]] Error certificate_is_revoked(const CertificateRecord& row);
/// Whether it may have a successor. Errors: E5243 revoked, E5244 switched off.
[[nodiscard]] Result<void> check_renewable(const CertificateRecord& row);

}  // namespace iotsky::provisioning
