#include <doctest/doctest.h>

#include "acl/auth_context.hpp"
#include "provisioning/names.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

TEST_SUITE("provisioning.chain") {
    TEST_CASE("one call makes thing, project, rights and an active certificate with its key") {
        World world;
        const Provisioned made = world.thing();
        CHECK(made.thing->path() == "7b/otter/weather");
        CHECK(made.thing->aws_name == "7b:otter:weather");
        CHECK(made.certificate->status == CertificateStatus::active);
        CHECK(made.private_key->view() == "key of " + made.certificate->serial);
        CHECK(made.topics.publish ==
              std::vector<std::string>{"7b/otter/weather/#", "7b/commons/#"});
        CHECK(made.topics.subscribe ==
              std::vector<std::string>{"7b/otter/#", "7b/board/#", "7b/commons/#"});
        CHECK(made.effective);
    }

    TEST_CASE("the view knows the new certificate before the call returns") {
        World world;
        const Provisioned made = world.thing();
        const auto view = world.view(made);
        REQUIRE(view);
        CHECK(view->name == "7b/otter/weather");
        CHECK(view->scope == made.thing->id.format(kThingPrefix));
        CHECK_FALSE(view->refusal(world.clock.wall_now()).has_value());
        const auto rights = acl::AuthContext::make(view->rules(), {}, view->valid_until);
        CHECK(rights->evaluate(acl::Action::publish, "7b/otter/weather/t", world.clock.wall_now())
                  .allowed);
        CHECK_FALSE(
            rights->evaluate(acl::Action::publish, "7b/heron/door/t", world.clock.wall_now())
                .allowed);
    }

    TEST_CASE("every step's event is in the outbox, in the order of the steps") {
        World world;
        const Provisioned made = world.thing();
        const auto events = world.registry->events.after(world.admin, 1, 100).value();
        std::vector<std::string> kinds;
        for (const Event& event : events) {
            kinds.push_back(event.kind);
            CHECK(event.body.find("key of ") == std::string::npos);
        }
        CHECK(kinds == std::vector<std::string>{"thing.created", "rights.granted",
                                                "certificate.issued", "certificate.attached",
                                                "order.recorded", "thing.provisioned"});
        CHECK(events.back().body.find(made.certificate->serial) != std::string::npos);
    }

    TEST_CASE("a certificate lives until class end, grace and 90 days are over") {
        World world;
        CHECK(format_utc(*world.thing().certificate->not_after) == "2027-05-21T00:00:00Z");
    }
}
