#include <doctest/doctest.h>

#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

TEST_SUITE("provisioning.idempotency") {
    TEST_CASE("a repeat gets the same thing, certificate and, while undelivered, the same key") {
        World world;
        const auto first =
            world.registry->things.create(world.admin, world.request(), "k-1").value();
        const auto again =
            world.registry->things.create(world.admin, world.request(), "k-1").value();
        CHECK_FALSE(first.repeated);
        CHECK(again.repeated);
        CHECK(again.thing->id == first.thing->id);
        CHECK(again.certificate->serial == first.certificate->serial);
        CHECK(again.certificate->pem == first.certificate->pem);
        CHECK(again.topics.publish == first.topics.publish);
        CHECK(again.private_key->view() == first.private_key->view());
        CHECK(world.issuer.issued == 1);
    }

    TEST_CASE("once the answer was delivered the key is never given again") {
        World world;
        REQUIRE(world.registry->things.create(world.admin, world.request(), "k-1").has_value());
        world.registry->delivered(world.admin, "k-1");
        const auto again = world.registry->things.create(world.admin, world.request(), "k-1");
        CHECK(again.error().number == "E4102");
        CHECK(again.error().code == Errc::conflict);
        CHECK(world.issuer.issued == 1);
    }

    TEST_CASE("after 60 s the key is gone, delivered or not") {
        World world;
        REQUIRE(world.registry->things.create(world.admin, world.request(), "k-1").has_value());
        world.clock.advance(std::chrono::seconds{59});
        CHECK(world.registry->things.create(world.admin, world.request(), "k-1").has_value());
        world.clock.advance(std::chrono::seconds{1});
        CHECK(world.registry->things.create(world.admin, world.request(), "k-1").error().number ==
              "E4102");
    }

    TEST_CASE("after a restart the key is gone, but nothing is made twice") {
        World world;
        REQUIRE(world.registry->things.create(world.admin, world.request(), "k-1").has_value());
        world.registry =
            std::make_unique<Registry>(*world.store, world.issuer, world.clock, world.random);
        REQUIRE(world.registry->start().has_value());
        CHECK(world.registry->things.create(world.admin, world.request(), "k-1").error().number ==
              "E4102");
        CHECK(world.issuer.issued == 1);
    }

    TEST_CASE("a call with a csr repeats the same for 24 h and no longer") {
        World world;
        ThingRequest request = world.request();
        request.key = KeySource::csr;
        request.csr = "CERTIFICATE REQUEST";
        const auto first = world.registry->things.create(world.admin, request, "k-1").value();
        CHECK_FALSE(first.private_key.has_value());
        world.clock.advance(std::chrono::hours{23});
        const auto again = world.registry->things.create(world.admin, request, "k-1").value();
        CHECK(again.certificate->serial == first.certificate->serial);
        world.clock.advance(std::chrono::hours{1});
        CHECK(world.registry->things.create(world.admin, request, "k-1").error().number == "E2114");
    }

    TEST_CASE("one key stands for one request and one caller") {
        World world;
        REQUIRE(world.registry->things.create(world.admin, world.request(), "k-1").has_value());
        CHECK(world.registry->things.create(world.admin, world.request("otter", "door"), "k-1")
                  .error()
                  .number == "E4103");
        Caller other = world.admin;
        other.actor = "somebody else";
        CHECK(world.registry->things.create(other, world.request("otter", "door"), "k-1")
                  .has_value());
    }

    TEST_CASE("a failed call stores nothing: the repeat tries again") {
        World world;
        world.issuer.broken = true;
        REQUIRE(world.registry->things.create(world.admin, world.request(), "k-1").has_error());
        world.issuer.broken = false;
        CHECK_FALSE(
            world.registry->things.create(world.admin, world.request(), "k-1").value().repeated);
    }

    TEST_CASE("what is no key is refused") {
        World world;
        for (const std::string& key : {std::string{}, std::string(129, 'x'), std::string{"a b"},
                                       std::string{"a\nb"}, std::string{"\xc3\xa4"}}) {
            CAPTURE(key);
            CHECK(world.registry->things.create(world.admin, world.request(), key).error().number ==
                  "E4104");
        }
        CHECK(world.registry->things.create(world.admin, world.request(), std::string(128, 'x'))
                  .has_value());
    }

    TEST_CASE("new certificates repeat, too") {
        World world;
        world.thing();
        const auto first =
            world.registry->certificates.issue(world.admin, "7b/otter/weather", {}, "c").value();
        const auto again =
            world.registry->certificates.issue(world.admin, "7b/otter/weather", {}, "c").value();
        CHECK(first.certificate->serial == again.certificate->serial);
        CHECK(world.registry->things.show(world.admin, "7b/otter/weather")
                  .value()
                  .certificates.size() == 2);
    }
}
