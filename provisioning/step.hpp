#pragma once

#include <span>
#include <string_view>

#include "base/error.hpp"
#include "provisioning/order.hpp"

namespace iotsky::provisioning {

/// One link of a provisioning chain. Steps hold no state of an order.
class Step {
  public:
    virtual ~Step() = default;
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    /// One line for `iotsky chain list`.
    [[nodiscard]] virtual std::string_view summary() const noexcept = 0;

    /// What must not sit inside the transaction: cheap refusals, reserving serials, keys and
    /// signatures. For many orders at once, so that they share commits. May leave something behind
    /// that undo() takes away.
    [[nodiscard]] virtual Result<void> prepare(std::span<Order> orders);
    /// Does the step in `order.tx`; twice for one order gives the same outcome.
    [[nodiscard]] virtual Result<void> run(Order& order) = 0;
    /// Takes back what prepare() and run() did to the order and outside the transaction, which has
    /// been rolled back; called in reverse order when any step failed.
    virtual void undo(Order& order) noexcept = 0;
};

}  // namespace iotsky::provisioning
