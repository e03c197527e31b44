#include "provisioning/chain.hpp"

#include <algorithm>

#include "provisioning/names.hpp"
#include "provisioning/order_json.hpp"
#include "provisioning/rights.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::string_view kCreateThing = "create-thing";

ChainOutcome outcome_of(Order&& order, std::vector<std::string> steps) {
    ChainOutcome outcome;
    outcome.steps = std::move(steps);
    for (OrderEvent& event : order.events) {
        outcome.events.push_back(std::move(event.body));
    }
    outcome.private_key = std::move(order.private_key);
    return outcome;
}

Error no_such(std::string_view what, std::string_view name, std::string how) {
    return make_error(Errc::not_found, "E4129",
                      "There is no " + std::string{what} + " \"" + std::string{name} + "\".",
                      "Names are those of the list.", std::move(how));
}

}  // namespace

std::vector<StepInfo> Chain::steps() const {
    std::vector<StepInfo> infos;
    for (const auto& step : create_thing_.steps()) {
        infos.push_back({std::string{step->name()}, std::string{step->summary()}});
    }
    return infos;
}

std::vector<std::string> Chain::chains() {
    return {std::string{kCreateThing}};
}

Result<Order> Chain::order_for(const Caller& caller, std::string_view event_json, ChainMode mode) {
    IOTSKY_CHECK(check(caller, Operation::chain_run, {}));
    IOTSKY_TRY(order, parse_order(event_json, core_));
    order.actor = caller.actor;
    order.dry_run = mode != ChainMode::real;
    order.imagine = mode == ChainMode::scratch;
    return order;
}

Result<ChainOutcome> Chain::run_step(const Caller& caller, std::string_view name,
                                     std::string_view event_json, ChainMode mode) {
    IOTSKY_TRY(order, order_for(caller, event_json, mode));
    const auto known = steps();
    if (std::none_of(known.begin(), known.end(),
                     [&](const StepInfo& step) { return step.name == name; })) {
        return no_such("step", name, "See them: iotsky chain list");
    }
    IOTSKY_CHECK(create_thing_.run_step(name, order));
    return outcome_of(std::move(order), {std::string{name}});
}

Result<ChainOutcome> Chain::run_chain(const Caller& caller, std::string_view name,
                                      std::string_view event_json, ChainMode mode) {
    if (name != kCreateThing) {
        return no_such("chain", name, "There is one: create-thing.");
    }
    IOTSKY_TRY(order, order_for(caller, event_json, mode));
    IOTSKY_CHECK(create_thing_.run(order));
    std::vector<std::string> ran;
    for (const StepInfo& step : steps()) {
        ran.push_back(step.name);
    }
    return outcome_of(std::move(order), std::move(ran));
}

}  // namespace iotsky::provisioning
