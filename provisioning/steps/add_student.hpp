#pragma once

#include "provisioning/step.hpp"

namespace iotsky::provisioning {

/// Makes the student of a roster row, with the project. Orders without one pass. Event:
/// student.created. Errors: E2113 reserved project name, E2117 the pseudonym is taken.
class AddStudent final : public Step {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "add_student"; }
    [[nodiscard]] std::string_view summary() const noexcept override {
        return "makes the student of a roster row, with the project";
    }
    [[nodiscard]] Result<void> run(Order& order) override;
    void undo(Order& order) noexcept override;
};

}  // namespace iotsky::provisioning
