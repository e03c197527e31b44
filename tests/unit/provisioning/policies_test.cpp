#include <doctest/doctest.h>

#include "provisioning/names.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

TEST_SUITE("provisioning.policies") {
    TEST_CASE("a policy that cannot be understood is never stored") {
        World world;
        const auto refused = world.registry->policies.create(world.admin, "p", R"({"Version":1})");
        CHECK(refused.has_error());
        CHECK(world.registry->policies.list(world.admin, {}).value().items.empty());
    }

    TEST_CASE("versions: five at most, the default stays, numbers are never used twice") {
        World world;
        auto& policies = world.registry->policies;
        REQUIRE(policies.create(world.admin, "p", test::kAllowAll).has_value());
        for (int i = 2; i <= 5; ++i) {
            CHECK(policies.add_version(world.admin, "p", test::kAllowConnect, false)
                      .value()
                      .value.version == i);
        }
        CHECK(policies.add_version(world.admin, "p", test::kAllowAll, false).error().number ==
              "E3125");
        CHECK(policies.remove_version(world.admin, "p", 1).error().number == "E3126");
        CHECK(policies.remove_version(world.admin, "p", 9).error().number == "E3124");
        REQUIRE(policies.remove_version(world.admin, "p", 5).has_value());
        CHECK(policies.add_version(world.admin, "p", test::kAllowAll, true).value().value.version ==
              6);
        const auto shown = policies.show(world.admin, "p").value();
        CHECK(shown.record.default_version == 6);
        CHECK(shown.versions == std::vector<std::int64_t>{1, 2, 3, 4, 6});
    }

    TEST_CASE("an attached policy cannot be deleted and shows its targets") {
        World world;
        auto& policies = world.registry->policies;
        world.thing();
        REQUIRE(policies.create(world.admin, "p", test::kAllowAll).has_value());
        for (const TargetName& target :
             {TargetName{TargetKind::thing, "7b/otter/weather"},
              TargetName{TargetKind::project, "7b/otter"}, TargetName{TargetKind::class_, "7b"}}) {
            CHECK(policies.attach(world.admin, "p", target).value().value.name == target.name);
        }
        CHECK(policies.show(world.admin, "p").value().targets.size() == 3);
        CHECK(policies.remove(world.admin, "p").error().number == "E3127");
        for (const TargetName& target : policies.show(world.admin, "p").value().targets) {
            REQUIRE(policies.detach(world.admin, "p", target).has_value());
        }
        CHECK(policies.remove(world.admin, "p").has_value());
        CHECK(policies.show(world.admin, "p").error().number == "E3120");
    }

    TEST_CASE("attaching tells the broker whose rights changed") {
        World world;
        const Provisioned made = world.thing();
        world.thing("heron", "door");
        REQUIRE(world.registry->policies.create(world.admin, "p", test::kAllowAll).has_value());
        world.listener.calls.clear();
        REQUIRE(world.registry->policies.attach(world.admin, "p", {TargetKind::project, "7b/otter"})
                    .has_value());
        REQUIRE(world.listener.calls.size() == 1);
        CHECK(world.listener.calls[0].scopes ==
              std::vector<std::string>{made.thing->id.format(kThingPrefix)});
    }
}
