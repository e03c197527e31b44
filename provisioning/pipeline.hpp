#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "provisioning/core.hpp"
#include "provisioning/step.hpp"

namespace iotsky::provisioning {

/// A chain of steps, run as all or nothing: first every prepare(), then every run() in one
/// transaction, then the registry view and the broker. If anything fails, nothing of any order of
/// the call remains. Immutable; thread: any (`work`).
class Pipeline {
  public:
    Pipeline(Core& core, std::vector<std::unique_ptr<Step>> steps);

    /// Runs all orders in one transaction. Errors: of the steps or E53xx.
    /// @return whether every connection has its new rights (`Changed::effective`).
    [[nodiscard]] Result<bool> run(std::span<Order> orders) const;
    [[nodiscard]] Result<bool> run(Order& order) const { return run(std::span{&order, 1}); }
    /// Runs one step alone, in a transaction of its own. Error: E4129 no such step.
    [[nodiscard]] Result<bool> run_step(std::string_view name, Order& order) const;

    [[nodiscard]] const std::vector<std::unique_ptr<Step>>& steps() const noexcept {
        return steps_;
    }

  private:
    [[nodiscard]] Result<bool> run_steps(std::span<const std::unique_ptr<Step>> steps,
                                         std::span<Order> orders) const;

    Core& core_;
    std::vector<std::unique_ptr<Step>> steps_;
};

/// create_thing, grant_rights, issue_certificate, attach, record, announce.
[[nodiscard]] std::vector<std::unique_ptr<Step>> create_thing_steps(Core& core);
/// add_student and the steps of create_thing; orders for a student without a thing pass those.
[[nodiscard]] std::vector<std::unique_ptr<Step>> roster_steps(Core& core);
/// The steps of a certificate for what exists: issue_certificate, grant_rights, attach,
/// revoke_replaced, record, announce.
[[nodiscard]] std::vector<std::unique_ptr<Step>> certificate_steps(Core& core);

/// A new order with its ids drawn.
[[nodiscard]] Order place_order(Core& core, ThingRequest request, std::string actor);

}  // namespace iotsky::provisioning
