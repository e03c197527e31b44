#include <doctest/doctest.h>

#include "provisioning/pipeline.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

namespace {

/// Counts down over all steps of a chain; the call that reaches zero fails.
struct Fuse {
    int left = 0;
    [[nodiscard]] bool blows() { return left-- == 0; }
};

/// A step whose prepare(), or the end of whose run(), fails when the fuse blows.
class FusedStep final : public Step {
  public:
    FusedStep(std::unique_ptr<Step> real, Fuse& fuse) : real_(std::move(real)), fuse_(fuse) {}
    [[nodiscard]] std::string_view name() const noexcept override { return real_->name(); }
    [[nodiscard]] std::string_view summary() const noexcept override { return real_->summary(); }
    [[nodiscard]] Result<void> prepare(std::span<Order> orders) override {
        IOTSKY_CHECK(real_->prepare(orders));
        return failure();
    }
    [[nodiscard]] Result<void> run(Order& order) override {
        IOTSKY_CHECK(real_->run(order));
        return failure();
    }
    void undo(Order& order) noexcept override { real_->undo(order); }

  private:
    [[nodiscard]] Result<void> failure() {
        if (fuse_.blows()) {
            return make_error(Errc::internal, "E0", "blown", "", "");
        }
        return {};
    }

    std::unique_ptr<Step> real_;
    Fuse& fuse_;
};

std::vector<std::unique_ptr<Step>> fused(std::vector<std::unique_ptr<Step>> steps, Fuse& fuse) {
    for (auto& step : steps) {
        step = std::make_unique<FusedStep>(std::move(step), fuse);
    }
    return steps;
}

void check_as_before(const Order& order) {
    CHECK_FALSE(order.thing.has_value());
    CHECK_FALSE(order.certificate.has_value());
    CHECK_FALSE(order.private_key.has_value());
    CHECK_FALSE(order.recorded);
    CHECK(order.events.empty());
    CHECK(order.events_stored == 0);
    CHECK(order.affected.empty());
}

}  // namespace

TEST_SUITE("provisioning.pipeline") {
    TEST_CASE("whichever step fails, nothing of the order remains, and it can be run again") {
        World world;
        Core core(*world.store, world.issuer, world.clock, world.random, {});
        Fuse fuse;
        const Pipeline pipeline(core, fused(create_thing_steps(core), fuse));
        Order order = place_order(core, world.request(), "test");
        int failures = 0;
        for (;; ++failures) {
            CAPTURE(failures);
            REQUIRE(failures < 50);
            const std::string before = world.dump();
            fuse.left = failures;
            if (pipeline.run(order)) {
                break;
            }
            CHECK(world.dump() == before);
            check_as_before(order);
        }
        // six steps, each with its preparation
        CHECK(failures == 12);
        CHECK(world.registry->things.show(world.admin, "7b/otter/weather").has_value());
        CHECK(world.events("thing.provisioned") == 1);
    }

    TEST_CASE("of several orders all are made or none") {
        World world;
        Core core(*world.store, world.issuer, world.clock, world.random, {});
        const Pipeline pipeline(core, create_thing_steps(core));
        std::vector<Order> orders;
        orders.push_back(place_order(core, world.request("otter", "a"), "test"));
        orders.push_back(place_order(core, world.request("otter", "b"), "test"));
        ThingRequest wrong = world.request("otter", "c");
        wrong.policies = {"missing"};
        orders.push_back(place_order(core, wrong, "test"));
        const std::string before = world.dump();
        CHECK(pipeline.run(orders).error().number == "E3120");
        CHECK(world.dump() == before);
        orders.pop_back();
        CHECK(pipeline.run(orders).has_value());
        CHECK(world.registry->things.show(world.admin, "7b/otter/b").has_value());
    }

    TEST_CASE("a CA that cannot sign leaves no reserved serial behind") {
        World world;
        const std::string before = world.dump();
        world.issuer.broken = true;
        CHECK(world.registry->things.create(world.admin, world.request()).error().number ==
              "E5214");
        CHECK(world.dump() == before);
    }

    TEST_CASE("every step can run twice for one order with the same outcome") {
        World world;
        Core core(*world.store, world.issuer, world.clock, world.random, {});
        const auto steps = create_thing_steps(core);
        Order order = place_order(core, world.request(), "test");
        for (const auto& step : steps) {
            REQUIRE(step->prepare(std::span{&order, 1}).has_value());
        }
        const auto run_twice = [&](Tx& tx) -> Result<void> {
            order.tx = &tx;
            for (const auto& step : steps) {
                IOTSKY_CHECK(step->run(order));
                IOTSKY_CHECK(step->run(order));
            }
            order.tx = nullptr;
            return {};
        };
        REQUIRE(world.store->transact_void(run_twice, Ending::commit).has_value());
        const auto shown = world.registry->things.show(world.admin, "7b/otter/weather").value();
        CHECK(shown.certificates.size() == 1);
        CHECK(shown.record.id == order.thing_id);
        CHECK(world.events("thing.provisioned") == 1);
        CHECK(world.events("thing.created") == 1);
    }

    TEST_CASE(
        "reserved serials of an earlier run are swept at start, young ones stay while running") {
        World world;
        CertificateRecord row;
        row.id = Id::random(world.random);
        row.entry_id = row.id;
        row.issuer = "fa4e";
        row.serial = "00aa";
        row.key_type = "p256";
        row.created_us = to_unix_s(world.clock.wall_now()) * 1'000'000;
        REQUIRE(world.store
                    ->transact_void(
                        [&](Tx& tx) -> Result<void> {
                            tx.insert(row);
                            return {};
                        },
                        Ending::commit)
                    .has_value());
        const auto pending = [&] { return world.dump().find("pending") != std::string::npos; };
        REQUIRE(world.registry->maintain().has_value());
        CHECK(pending());
        CHECK(world.registry->certificates.show(world.admin, "00aa").error().number == "E5245");
        REQUIRE(world.registry->start().has_value());
        CHECK_FALSE(pending());
    }
}
