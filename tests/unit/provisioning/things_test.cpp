#include <doctest/doctest.h>

#include "provisioning/names.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

TEST_SUITE("provisioning.things") {
    TEST_CASE("the limit of a class is told with the number and the way on") {
        World world;
        for (int i = 0; i < 5; ++i) {
            world.thing("otter", "t" + std::to_string(i));
        }
        const auto sixth = world.registry->things.create(world.admin, world.request("otter", "x"));
        CHECK(sixth.error().number == "E2106");
        CHECK(sixth.error().message == "Project otter already has 5 things (limit 5 in class 7b).");
        CHECK(world.issuer.issued == 5);
        CHECK(world.registry->things.create(world.admin, world.request("heron", "x")).has_value());
    }

    TEST_CASE("reserved projects, wrong names and wrong attributes are refused") {
        World world;
        const auto number = [&](const ThingRequest& request) {
            return world.registry->things.create(world.admin, request).error().number;
        };
        CHECK(number(world.request("board", "x")) == "E2113");
        CHECK(number(world.request("commons", "x")) == "E2113");
        CHECK(number(world.request("a b", "x")) == "E4104");
        CHECK(number(world.request("otter", "#")) == "E4104");
        CHECK(number(world.request("otter", "")) == "E4104");
        ThingRequest request = world.request();
        request.attributes = {{"a b", "x"}};
        CHECK(number(request) == "E4104");
        request = world.request();
        request.key_type = "dsa";
        CHECK(number(request) == "E4104");
        request = world.request();
        request.key = KeySource::csr;
        request.csr = "rubbish";
        CHECK(number(request) == "E5221");
        CHECK(world.issuer.issued == 0);
    }

    TEST_CASE("a thing is made once") {
        World world;
        world.thing();
        const auto again = world.registry->things.create(world.admin, world.request());
        CHECK(again.error().number == "E2114");
        CHECK(again.error().code == Errc::already_exists);
    }

    TEST_CASE("a classless thing has any AWS name but one of a class") {
        World world;
        ThingRequest request;
        request.name = "sensor:one";
        const auto made = world.registry->things.create(world.admin, request).value();
        CHECK(made.thing->path() == "sensor:one");
        CHECK(made.topics.publish.empty());
        CHECK(world.view(made)->valid_until == *made.certificate->not_after);
        CHECK(*made.certificate->not_after - world.clock.wall_now() ==
              std::chrono::hours{397 * 24});
        request.name = "7b:otter:weather";
        CHECK(world.registry->things.create(world.admin, request).error().number == "E2115");
        request.name = "no:such:class";
        CHECK(world.registry->things.create(world.admin, request).has_value());
    }

    TEST_CASE("a thing without a certificate can get one later") {
        World world;
        ThingRequest request = world.request();
        request.key = KeySource::none;
        const auto made = world.registry->things.create(world.admin, request).value();
        CHECK_FALSE(made.certificate.has_value());
        CHECK(world.issuer.issued == 0);
        const auto issued =
            world.registry->certificates.issue(world.admin, "7b:otter:weather", {}).value();
        CHECK(world.view(issued)->name == "7b/otter/weather");
        CHECK(format_utc(*issued.certificate->not_after) == "2027-05-21T00:00:00Z");
    }

    TEST_CASE("renaming moves topics and keeps the scope") {
        World world;
        const Provisioned made = world.thing();
        const std::string scope = world.view(made)->scope;
        ThingChange change;
        change.name = "rain";
        change.board = std::optional<std::string>{"esp32-arduino"};
        change.attributes = Attributes{{"room", "12"}};
        const auto changed =
            world.registry->things.change(world.admin, "7b/otter/weather", change, 1).value();
        CHECK(changed.value.path() == "7b/otter/rain");
        CHECK(changed.value.rev == 2);
        CHECK(world.view(made)->name == "7b/otter/rain");
        CHECK(world.view(made)->scope == scope);
        const auto shown = world.registry->things.show(world.admin, "7b/otter/rain").value();
        CHECK(shown.record.attributes == Attributes{{"room", "12"}});
        CHECK(shown.record.board == "esp32-arduino");
        CHECK(shown.topics.publish[0] == "7b/otter/rain/#");
        world.thing("otter", "wind");
        change.name = "wind";
        CHECK(world.registry->things.change(world.admin, "7b/otter/rain", change).error().number ==
              "E2114");
    }

    TEST_CASE("a deleted thing's certificate stays known as revoked") {
        World world;
        const Provisioned made = world.thing();
        const auto done = world.registry->things.remove(world.admin, "7b/otter/weather").value();
        CHECK(done.value.certificates_revoked == 1);
        CHECK(world.view(made)->status == CertificateStatus::revoked);
        CHECK(world.view(made)->refusal(world.clock.wall_now()).has_value());
        CHECK(world.listener.calls.back().revoked);
        CHECK(world.events("thing.deleted") == 1);
        CHECK(world.events("certificate.revoked") == 1);
    }

    TEST_CASE("a thing is found by path, AWS name, id; a missing one with the nearest name") {
        World world;
        const Provisioned made = world.thing();
        for (const std::string& name :
             {std::string{"7b/otter/weather"}, std::string{"7b:otter:weather"},
              made.thing->id.format(kThingPrefix)}) {
            CHECK(world.registry->things.show(world.admin, name).value().record.id ==
                  made.thing->id);
        }
        const auto missing = world.registry->things.show(world.admin, "7b/otter/wether");
        CHECK(missing.error().how.find("Did you mean 7b/otter/weather?") != std::string::npos);
    }
}
