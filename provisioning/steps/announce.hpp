#pragma once

#include "provisioning/step.hpp"

namespace iotsky::provisioning {

/// Puts the events of all steps into the outbox. Event: thing.provisioned,
/// certificate.provisioned or student.provisioned, the last of its order.
class Announce final : public Step {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "announce"; }
    [[nodiscard]] std::string_view summary() const noexcept override {
        return "puts the events of all steps into the outbox";
    }
    [[nodiscard]] Result<void> run(Order& order) override;
    void undo(Order& order) noexcept override;
};

}  // namespace iotsky::provisioning
