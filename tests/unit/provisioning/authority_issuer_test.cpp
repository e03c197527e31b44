#include <doctest/doctest.h>

#include "certs/authority.hpp"
#include "provisioning/authority_issuer.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

namespace {

struct RealCa {
    RealCa() {
        certs::AuthorityOptions options;
        options.data_folder = world.database.folder() / "data";
        std::filesystem::create_directories(options.data_folder);
        options.names.dns = {"iotsky.local"};
        options.site = "school";
        authority = certs::Authority::open(options, world.clock.wall_now(), system_random)
                        .value()
                        .authority;
        issuer = std::make_unique<AuthorityIssuer>(authority, "school", system_random);
        registry = std::make_unique<Registry>(*world.store, *issuer, world.clock, system_random);
        REQUIRE(registry->start().has_value());
    }

    World world;
    SystemRandom system_random;
    std::shared_ptr<const certs::Authority> authority;
    std::unique_ptr<AuthorityIssuer> issuer;
    std::unique_ptr<Registry> registry;
};

}  // namespace

TEST_SUITE("provisioning.authority_issuer") {
    TEST_CASE("a thing gets a certificate of the real CA that says what the registry says") {
        RealCa ca;
        const auto made = ca.registry->things.create(ca.world.admin, ca.world.request()).value();
        const auto certificate = certs::Certificate::parse(made.certificate->pem).value();
        CHECK(certificate.serial_hex() == made.certificate->serial);
        CHECK(certificate.fingerprint() == *made.certificate->fingerprint);
        CHECK(certificate.not_after() == *made.certificate->not_after);
        CHECK(certificate.common_name() == "7b/otter/weather");
        const auto uri = certificate.alternative_names().find("UniformResourceIdentifier");
        REQUIRE(uri != certificate.alternative_names().end());
        CHECK(uri->second == "iotsky:school:7b:otter:weather");
        CHECK(ca.authority->issued(certificate));
        const auto key = certs::PrivateKey::from_pem(made.private_key->view()).value();
        CHECK(key.public_key() == certificate.public_key());
        CHECK(made.certificate->key_type == "p256");
    }

    TEST_CASE("keys of both types, and services") {
        RealCa ca;
        ThingRequest request = ca.world.request();
        request.key_type = "rsa2048";
        CHECK(ca.registry->things.create(ca.world.admin, request).value().certificate->key_type ==
              "rsa2048");
        ServiceRequest service;
        service.name = "grader";
        service.policy_document = test::kAllowAll;
        const auto made = ca.registry->certificates.issue_service(ca.world.admin, service).value();
        CHECK(certs::Certificate::parse(made.certificate->pem).value().common_name() == "grader");
    }

    TEST_CASE("longest names still get a certificate") {
        RealCa ca;
        const std::string longest(40, 'x');
        REQUIRE(ca.registry->classes.create(ca.world.admin, {longest, {}, {}, {}}).has_value());
        ThingRequest request = ca.world.request(longest, longest);
        request.class_name = longest;
        const auto made = ca.registry->things.create(ca.world.admin, request).value();
        CHECK(certs::Certificate::parse(made.certificate->pem).value().common_name().size() <= 64);
    }

    TEST_CASE("what is no request is refused before anything is made") {
        RealCa ca;
        const std::string before = ca.world.dump();
        ThingRequest request = ca.world.request();
        request.key = KeySource::csr;
        request.csr =
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n";
        CHECK(
            ca.registry->things.create(ca.world.admin, request).error().number.starts_with("E522"));
        CHECK(ca.world.dump() == before);
    }

    TEST_CASE("a class of 100 is made in one go with the real CA") {
        RealCa ca;
        std::string file = "name\n";
        for (int i = 0; i < 100; ++i) {
            file += "Pupil " + std::to_string(i) + "\n";
        }
        RosterOptions options;
        options.thing = "weather";
        const auto result = ca.registry->roster.import(ca.world.admin, "7b", file, options).value();
        CHECK(result.created == 100);
        CHECK(ca.registry->view().size() == 100);
    }
}
