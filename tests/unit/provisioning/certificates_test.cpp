#include <doctest/doctest.h>

#include "provisioning/names.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

TEST_SUITE("provisioning.certificates") {
    TEST_CASE("with revoke_old the new certificate replaces all others in one go") {
        World world;
        const Provisioned first = world.thing();
        KeyRequest request;
        request.revoke_old = true;
        const auto next =
            world.registry->certificates.issue(world.admin, "7b/otter/weather", request).value();
        CHECK(world.view(first)->status == CertificateStatus::revoked);
        CHECK(world.view(next)->status == CertificateStatus::active);
        CHECK(world.listener.calls.back().revoked);
        CHECK(world.events("certificate.revoked") == 1);
    }

    TEST_CASE("a revoked certificate stays revoked") {
        World world;
        const Provisioned made = world.thing();
        const std::string serial = made.certificate->serial;
        REQUIRE(world.registry->certificates.revoke(world.admin, serial, "lost").has_value());
        CHECK(world.registry->certificates.revoke(world.admin, serial, "lost").has_value());
        CHECK(world.registry->certificates.renew(world.admin, serial, {}).error().number ==
              "E5243");
        CHECK(
            world.registry->certificates.set_status(world.admin, serial, CertificateStatus::active)
                .error()
                .number == "E5243");
        CHECK(world.registry->certificates.revoke(world.admin, serial, "whim").error().number ==
              "E4104");
        const auto list = world.registry->certificates.revoked().value();
        REQUIRE(list.size() == 1);
        CHECK(list[0].serial == serial);
        CHECK(list[0].reason == "lost");
    }

    TEST_CASE("a suspended certificate is refused until it is active again") {
        World world;
        const Provisioned made = world.thing();
        const std::string serial = made.certificate->serial;
        REQUIRE(world.registry->certificates
                    .set_status(world.admin, serial, CertificateStatus::suspended)
                    .has_value());
        CHECK(world.view(made)->refusal(world.clock.wall_now())->number == "E3303");
        CHECK(world.registry->certificates.renew(world.admin, serial, {}).error().number ==
              "E5244");
        CHECK(world.registry->certificates
                  .set_status(world.student("otter"), serial, CertificateStatus::active)
                  .error()
                  .number == "E4117");
        REQUIRE(
            world.registry->certificates.set_status(world.admin, serial, CertificateStatus::active)
                .has_value());
        CHECK_FALSE(world.view(made)->refusal(world.clock.wall_now()).has_value());
    }

    TEST_CASE("a certificate is found by id, serial and fingerprint in any usual form") {
        World world;
        const Provisioned made = world.thing();
        const CertificateRecord& row = *made.certificate;
        for (const std::string& name : {row.id.format(kCertificatePrefix), row.serial,
                                        row.fingerprint->hex(), row.fingerprint->colon_hex()}) {
            CAPTURE(name);
            CHECK(world.registry->certificates.show(world.admin, name).value().record.id == row.id);
        }
        CHECK(world.registry->certificates.show(world.admin, "ff").error().number == "E5245");
    }

    TEST_CASE("a revocation that comes while a successor is signed wins") {
        World world;
        const Provisioned made = world.thing();
        const std::string serial = made.certificate->serial;
        world.issuer.while_signing = [&] {
            world.issuer.while_signing = {};
            REQUIRE(world.registry->certificates.revoke(world.admin, serial, "lost").has_value());
        };
        CHECK(world.registry->certificates.renew(world.admin, serial, {}).error().number ==
              "E5243");
        CHECK(world.dump().find("pending") == std::string::npos);
        CHECK(world.view(made)->status == CertificateStatus::revoked);
    }

    TEST_CASE("a thing that is deleted while its certificate is signed gets none") {
        World world;
        world.thing();
        world.issuer.while_signing = [&] {
            world.issuer.while_signing = {};
            REQUIRE(world.registry->things.remove(world.admin, "7b/otter/weather").has_value());
        };
        CHECK(world.registry->certificates.issue(world.admin, "7b/otter/weather", {})
                  .error()
                  .number == "E2112");
        CHECK(world.dump().find("pending") == std::string::npos);
    }

    TEST_CASE("a class that is deleted while a thing is made leaves nothing of it") {
        World world;
        world.issuer.while_signing = [&] {
            world.issuer.while_signing = {};
            REQUIRE(world.registry->classes.remove(world.admin, "7b", true).has_value());
        };
        CHECK(world.registry->things.create(world.admin, world.request()).error().number ==
              "E2107");
        CHECK(world.dump().find("pending") == std::string::npos);
        CHECK(world.dump().find("thing") == std::string::npos);
    }

    TEST_CASE("lists can be narrowed and paged") {
        World world;
        world.thing("otter", "a");
        world.thing("otter", "b");
        const Provisioned third = world.thing("heron", "c");
        CertificateQuery query;
        query.thing = "7b/heron/c";
        CHECK(world.registry->certificates.list(world.admin, query, {}).value().items.size() == 1);
        query = {};
        query.class_name = "7b";
        const auto page = world.registry->certificates.list(world.admin, query, {{}, 2}).value();
        REQUIRE(page.next.has_value());
        const auto rest =
            world.registry->certificates.list(world.admin, query, {*page.next, 2}).value();
        REQUIRE(rest.items.size() == 1);
        CHECK(rest.items[0].record.serial == third.certificate->serial);
        CHECK(rest.items[0].things == std::vector<std::string>{"7b/heron/c"});
        query.ends_within = std::chrono::hours{24};
        CHECK(world.registry->certificates.list(world.admin, query, {}).value().items.empty());
    }

    TEST_CASE("a service identity needs a policy that can be read") {
        World world;
        ServiceRequest request;
        request.name = "grader";
        CHECK(world.registry->certificates.issue_service(world.admin, request).error().number ==
              "E3121");
        request.policy_document = "{";
        CHECK(world.registry->certificates.issue_service(world.admin, request).has_error());
        request.policy_document = test::kAllowAll;
        const auto made = world.registry->certificates.issue_service(world.admin, request).value();
        CHECK(world.view(made)->name == "service grader");
        CHECK_FALSE(made.thing.has_value());
        CHECK(made.certificate->pem.find("service:grader") != std::string::npos);
        CHECK(world.registry->policies.show(world.admin, "service-grader").value().document ==
              test::kAllowAll);
    }
}
