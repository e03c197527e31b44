#pragma once

#include "provisioning/step.hpp"

namespace iotsky::provisioning {

/// Writes the audit entry, and the answer that a repeated Idempotency-Key gets. Event:
/// order.recorded.
class Record final : public Step {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "record"; }
    [[nodiscard]] std::string_view summary() const noexcept override {
        return "writes the audit entry and the answer kept for repeats";
    }
    [[nodiscard]] Result<void> run(Order& order) override;
    void undo(Order& order) noexcept override;
};

}  // namespace iotsky::provisioning
