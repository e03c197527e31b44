#pragma once

#include "provisioning/step.hpp"

namespace iotsky::provisioning {

/// Attaches the policies asked for: to the thing, or to the certificate of a service. Event:
/// rights.granted. Error: E3120 no such policy.
class GrantRights final : public Step {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "grant_rights"; }
    [[nodiscard]] std::string_view summary() const noexcept override {
        return "attaches the policies; a thing in a class has its default rights";
    }
    [[nodiscard]] Result<void> run(Order& order) override;
    void undo(Order& order) noexcept override;
};

}  // namespace iotsky::provisioning
