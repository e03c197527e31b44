#include "provisioning/pipeline.hpp"

#include <algorithm>

#include "provisioning/imagine.hpp"
#include "provisioning/steps/add_student.hpp"
#include "provisioning/steps/announce.hpp"
#include "provisioning/steps/attach.hpp"
#include "provisioning/steps/create_thing.hpp"
#include "provisioning/steps/grant_rights.hpp"
#include "provisioning/steps/issue_certificate.hpp"
#include "provisioning/steps/record.hpp"
#include "provisioning/steps/revoke_replaced.hpp"

namespace iotsky::provisioning {
namespace {

using Steps = std::span<const std::unique_ptr<Step>>;

Result<void> run_all(Steps steps, Order& order, Tx& tx) {
    order.tx = &tx;
    if (order.imagine) {
        imagine(order);
    }
    for (const auto& step : steps) {
        if (auto done = step->run(order); !done) {
            order.tx = nullptr;
            return done;
        }
    }
    // A step that runs alone has no announce behind it.
    store_events(order);
    order.tx = nullptr;
    return {};
}

void undo_all(Steps steps, std::span<Order> orders) {
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        for (Order& order : orders) {
            (*step)->undo(order);
        }
    }
}

void add_all(std::vector<Id>& to, const std::vector<Id>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

bool is_dry_run(std::span<const Order> orders) {
    return std::any_of(orders.begin(), orders.end(),
                       [](const Order& order) { return order.dry_run; });
}

Affected all_affected(std::span<const Order> orders) {
    Affected all;
    for (const Order& order : orders) {
        add_all(all.certificates, order.affected.certificates);
        add_all(all.things, order.affected.things);
        add_all(all.classes, order.affected.classes);
        add_all(all.policies, order.affected.policies);
        all.tokens = all.tokens || order.affected.tokens;
    }
    return all;
}

}  // namespace

Result<void> Step::prepare(std::span<Order> /*orders*/) {
    return {};
}

Pipeline::Pipeline(Core& core, std::vector<std::unique_ptr<Step>> steps)
    : core_(core), steps_(std::move(steps)) {}

Result<bool> Pipeline::run(std::span<Order> orders) const {
    const TimePoint begin = core_.clock.now();
    auto effective = run_steps(steps_, orders);
    if (effective && !is_dry_run(orders)) {
        core_.note_duration(core_.clock.now() - begin);
    }
    return effective;
}

Result<bool> Pipeline::run_step(std::string_view name, Order& order) const {
    const auto found = std::find_if(steps_.begin(), steps_.end(),
                                    [&](const auto& step) { return step->name() == name; });
    if (found == steps_.end()) {
        return make_error(Errc::not_found, "E4129", "There is no such step.",
                          "The chain has other steps.", "See them: iotsky chain list");
    }
    return run_steps(Steps{&*found, 1}, std::span{&order, 1});
}

Result<bool> Pipeline::run_steps(Steps steps, std::span<Order> orders) const {
    const bool dry_run = is_dry_run(orders);
    for (const auto& step : steps) {
        if (auto done = step->prepare(orders); !done) {
            undo_all(steps, orders);
            return std::move(done).error();
        }
    }
    const auto done = core_.store.transact_void(
        [&](Tx& tx) -> Result<void> {
            for (Order& order : orders) {
                IOTSKY_CHECK(run_all(steps, order, tx));
            }
            return {};
        },
        dry_run ? Ending::roll_back : Ending::commit);
    if (!done) {
        undo_all(steps, orders);
        return done.error();
    }
    if (dry_run) {
        return true;
    }
    const bool revoked =
        std::any_of(orders.begin(), orders.end(), [](const Order& order) { return order.revoked; });
    return core_.publish(all_affected(orders), revoked);
}

std::vector<std::unique_ptr<Step>> create_thing_steps(Core& core) {
    std::vector<std::unique_ptr<Step>> steps;
    steps.push_back(std::make_unique<CreateThing>(core));
    steps.push_back(std::make_unique<GrantRights>());
    steps.push_back(std::make_unique<IssueCertificate>(core));
    steps.push_back(std::make_unique<Attach>());
    steps.push_back(std::make_unique<Record>());
    steps.push_back(std::make_unique<Announce>());
    return steps;
}

std::vector<std::unique_ptr<Step>> roster_steps(Core& core) {
    std::vector<std::unique_ptr<Step>> steps = create_thing_steps(core);
    steps.insert(steps.begin(), std::make_unique<AddStudent>());
    return steps;
}

std::vector<std::unique_ptr<Step>> certificate_steps(Core& core) {
    std::vector<std::unique_ptr<Step>> steps;
    steps.push_back(std::make_unique<IssueCertificate>(core));
    steps.push_back(std::make_unique<GrantRights>());
    steps.push_back(std::make_unique<Attach>());
    steps.push_back(std::make_unique<RevokeReplaced>());
    steps.push_back(std::make_unique<Record>());
    steps.push_back(std::make_unique<Announce>());
    return steps;
}

Order place_order(Core& core, ThingRequest request, std::string actor) {
    Order order;
    order.id = Id::random(core.random);
    order.request = std::move(request);
    order.actor = std::move(actor);
    order.now = core.now();
    order.thing_id = Id::random(core.random);
    order.project_id = Id::random(core.random);
    order.certificate_id = Id::random(core.random);
    order.created_us = core.next_created_us();
    return order;
}

}  // namespace iotsky::provisioning
