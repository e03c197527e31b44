#include "certs/crl.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/certs/fixture.hpp"

using namespace iotsky;
using namespace iotsky::certs;
using test::CaFixture;
using test::kNow;

namespace {
std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return text;
}
}  // namespace

TEST_SUITE("certs.crl") {
    TEST_CASE_FIXTURE(CaFixture, "the openssl command reads and verifies the list, PEM and DER") {
        const RevokedCertificate revoked[] = {
            {new_serial(random), kNow, RevocationReason::key_compromise},
            {new_serial(random), kNow - std::chrono::hours{1}, RevocationReason::unspecified}};
        const Crl crl = ca().crl(revoked, kNow).value();
        const std::string pem = (folder.path() / "list.pem").string();
        const std::string der = (folder.path() / "list.der").string();
        test::spill(pem, crl.pem);
        test::spill(der, std::string(crl.der.begin(), crl.der.end()));
        std::string output;
        const std::string ca_file = " -CAfile " + (folder.path() / "ca/device-ca.crt").string();
        REQUIRE(test::run("openssl crl -noout -text -in " + pem + ca_file, output) == 0);
        CHECK(output.find("verify OK") != std::string::npos);
        for (const RevokedCertificate& entry : revoked) {
            CHECK(output.find(upper(entry.serial.hex())) != std::string::npos);
        }
        CHECK(output.find("Key Compromise") != std::string::npos);
        CHECK(output.find("Next Update: Nov 30") != std::string::npos);
        CHECK(output.find("X509v3 CRL Number") != std::string::npos);
        REQUIRE(test::run("openssl crl -inform DER -noout -in " + der + ca_file, output) == 0);
    }

    TEST_CASE_FIXTURE(CaFixture, "openssl verify refuses a device on the list and no other") {
        const auto good = ca().issue_device_with_key(request(), KeyType::p256, kNow).value();
        const DeviceRequest bad_request = request();
        const auto bad = ca().issue_device_with_key(bad_request, KeyType::p256, kNow).value();
        const RevokedCertificate revoked[] = {{bad_request.serial, kNow, {}}};
        const auto path = [&](const char* name) { return (folder.path() / name).string(); };
        test::spill(path("all.pem"), ca().certificate(CaRole::device_root).pem() +
                                         ca().certificate(CaRole::device).pem() +
                                         ca().crl(revoked, kNow).value().pem);
        test::spill(path("good.crt"), good.certificate.pem());
        test::spill(path("bad.crt"), bad.certificate.pem());
        const std::string verify = "openssl verify -crl_check -attime " +
                                   std::to_string(to_unix_s(kNow)) + " -CAfile " + path("all.pem") +
                                   " ";
        std::string output;
        CHECK(test::run(verify + path("good.crt"), output) == 0);
        CHECK(test::run(verify + path("bad.crt"), output) != 0);
        CHECK(output.find("certificate revoked") != std::string::npos);
    }

    TEST_CASE_FIXTURE(CaFixture,
                      "an empty list is a list, and a doubled serial stands in it once") {
        CHECK(ca().crl({}, kNow).value().der.size() > 100);
        const RevokedCertificate one{new_serial(random), kNow, RevocationReason::superseded};
        const RevokedCertificate twice[] = {one, one};
        CHECK(ca().crl(twice, kNow).value().der.size() <=
              ca().crl(std::span{&one, 1}, kNow).value().der.size() +
                  2);  // signature length varies
    }
}
