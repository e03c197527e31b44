#pragma once

#include "provisioning/core.hpp"
#include "provisioning/step.hpp"

namespace iotsky::provisioning {

/// Makes the project when it is missing, and the thing. Event: thing.created. Errors: E2102 class
/// over, E2106 limit, E2107 no such class, E2113 reserved name, E2114 the name is taken, E4104.
class CreateThing final : public Step {
  public:
    explicit CreateThing(Core& core) noexcept : core_(core) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "create_thing"; }
    [[nodiscard]] std::string_view summary() const noexcept override {
        return "makes the project when it is missing, and the thing";
    }
    [[nodiscard]] Result<void> prepare(std::span<Order> orders) override;
    [[nodiscard]] Result<void> run(Order& order) override;
    void undo(Order& order) noexcept override;

  private:
    Core& core_;
};

}  // namespace iotsky::provisioning
