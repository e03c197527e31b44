#pragma once

#include "provisioning/step.hpp"

namespace iotsky::provisioning {

/// Revokes the certificates that the new one replaces, in the same transaction. Event:
/// certificate.revoked for each.
class RevokeReplaced final : public Step {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "revoke_replaced"; }
    [[nodiscard]] std::string_view summary() const noexcept override {
        return "revokes the certificates that the new one replaces";
    }
    [[nodiscard]] Result<void> run(Order& order) override;
    void undo(Order& order) noexcept override;
};

}  // namespace iotsky::provisioning
