#pragma once

#include "provisioning/step.hpp"

namespace iotsky::provisioning {

/// Binds the certificate to its thing; a renewal takes over things and policies of the old one.
/// Event: certificate.attached.
class Attach final : public Step {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "attach"; }
    [[nodiscard]] std::string_view summary() const noexcept override {
        return "binds the certificate to its thing";
    }
    [[nodiscard]] Result<void> run(Order& order) override;
    void undo(Order& order) noexcept override;
};

}  // namespace iotsky::provisioning
