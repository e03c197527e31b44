#pragma once

#include "provisioning/core.hpp"
#include "provisioning/step.hpp"

namespace iotsky::provisioning {

/// Reserves the serial in a commit of its own (`pending`, without rights), makes key and signature
/// outside the transaction, activates the certificate inside it (decisions 10). Event:
/// certificate.issued. Errors: E2102, E52xx of the CA.
class IssueCertificate final : public Step {
  public:
    explicit IssueCertificate(Core& core) noexcept : core_(core) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "issue_certificate"; }
    [[nodiscard]] std::string_view summary() const noexcept override {
        return "reserves a serial number, makes key and signature, activates the certificate";
    }
    [[nodiscard]] Result<void> prepare(std::span<Order> orders) override;
    [[nodiscard]] Result<void> run(Order& order) override;
    void undo(Order& order) noexcept override;

  private:
    Core& core_;
};

}  // namespace iotsky::provisioning
