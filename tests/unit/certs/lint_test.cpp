#include "certs/lint.hpp"

#include <doctest/doctest.h>

#include <functional>

#include "certs/sign.hpp"
#include "certs/templates.hpp"
#include "tests/unit/certs/fixture.hpp"

using namespace iotsky;
using namespace iotsky::certs;
using test::kNow;

namespace {

struct LintFixture {
    SeededRandom random{21};
    PrivateKey root_key = PrivateKey::generate(KeyType::p256).value();
    PrivateKey key = PrivateKey::generate(KeyType::p256).value();
    CertificateTemplate root_asked =
        ca_template(CaRole::server, "school", root_key.public_key(), random);
    Certificate root = sign(root_asked, nullptr, root_key).value();
    CertificateTemplate asked = device_template({"weather", "iotsky:s:c:p:t",
                                                 kNow + std::chrono::hours{24}, new_serial(random)},
                                                key.public_key(), kNow)
                                    .value();

    /// What the check says when another template was signed than the one it is compared with.
    std::string verdict(const std::function<void(CertificateTemplate&)>& tamper) {
        CertificateTemplate bent = asked;
        tamper(bent);
        const Certificate made = sign(bent, &root, root_key).value();
        const auto result = lint(made, asked, &root);
        return result ? "good" : result.error().number + " " + result.error().why;
    }
};

}  // namespace

TEST_SUITE("certs.lint") {
    TEST_CASE_FIXTURE(LintFixture, "what was asked for passes, self-signed too") {
        CHECK(verdict([](CertificateTemplate&) {}) == "good");
        CHECK(lint(root, root_asked, nullptr).has_value());
    }

    TEST_CASE_FIXTURE(LintFixture, "each tampered field is caught by name") {
        const std::string end = " is not what was asked for.";
        using T = CertificateTemplate;
        CHECK(verdict([&](T& t) { t.serial = new_serial(random); }) == "E5214 Its serial" + end);
        CHECK(verdict([](T& t) { t.common_name = "door"; }) == "E5214 Its subject" + end);
        CHECK(verdict([](T& t) { t.organization = "x"; }) == "E5214 Its subject" + end);
        CHECK(verdict([](T& t) { t.not_before -= std::chrono::seconds{1}; }) ==
              "E5214 Its notBefore" + end);
        CHECK(verdict([](T& t) { t.not_after += std::chrono::seconds{1}; }) ==
              "E5214 Its notAfter" + end);
        CHECK(verdict([&](T& t) { t.key = root_key.public_key(); }) ==
              "E5214 Its public key" + end);
        CHECK(verdict([](T& t) { t.ca = true; }) == "E5214 Its basicConstraints" + end);
        CHECK(verdict([](T& t) {
                  t.key_usage = {"digitalSignature", "keyCertSign"};
              }) == "E5214 Its keyUsage" + end);
        CHECK(verdict([](T& t) { t.extended_key_usage = "serverAuth"; }) ==
              "E5214 Its extendedKeyUsage" + end);
        CHECK(verdict([](T& t) { t.extended_key_usage = ""; }) ==
              "E5214 Its extendedKeyUsage" + end);
        CHECK(verdict([](T& t) { t.uri = "iotsky:s:c:p:other"; }) ==
              "E5214 Its subjectAltName" + end);
        CHECK(verdict([](T& t) { t.dns = {"evil.example"}; }) == "E5214 Its subjectAltName" + end);
    }

    TEST_CASE_FIXTURE(LintFixture, "another issuer's signature is caught") {
        const PrivateKey other_key = PrivateKey::generate(KeyType::p256).value();
        const Certificate made = sign(asked, &root, other_key).value();
        const auto result = lint(made, asked, &root);
        REQUIRE_FALSE(result.has_value());
        CHECK(result.error().why == "Its signature is not what was asked for.");
        CHECK_FALSE(is_signed_by(made, root));
    }

    TEST_CASE_FIXTURE(LintFixture, "a chain holds for its use and within its dates only") {
        const Certificate made = sign(asked, &root, root_key).value();
        CHECK(verify_chain(made, {}, root, ChainUse::tls_client, kNow).has_value());
        CHECK_FALSE(verify_chain(made, {}, root, ChainUse::tls_server, kNow).has_value());
        const auto late =
            verify_chain(made, {}, root, ChainUse::tls_client, kNow + std::chrono::hours{25});
        REQUIRE_FALSE(late.has_value());
        CHECK(late.error().why == "Its chain does not hold: certificate has expired.");
        CHECK_FALSE(
            verify_chain(made, {}, root, ChainUse::tls_client, kNow - std::chrono::hours{1}));
    }

    TEST_CASE_FIXTURE(LintFixture, "requests that may not be signed are refused by template") {
        const auto number = [&](DeviceRequest request) {
            const auto made = device_template(request, key.public_key(), kNow);
            return made ? std::string{"signed"} : made.error().number;
        };
        const DeviceRequest good{"weather", "iotsky:s:c:p:t", kNow + std::chrono::hours{1},
                                 new_serial(random)};
        CHECK(number(good) == "signed");
        const auto with = [&](auto change) {
            DeviceRequest request = good;
            change(request);
            return number(request);
        };
        CHECK(with([](auto& r) { r.san_uri.clear(); }) == "signed");
        CHECK(with([](auto& r) { r.not_after = end_of_2049(); }) == "signed");
        CHECK(with([](auto& r) { r.common_name = ""; }) == "E5215");
        CHECK(with([](auto& r) { r.common_name = std::string(65, 'x'); }) == "E5215");
        CHECK(with([](auto& r) { r.common_name = "a\tb"; }) == "E5215");
        CHECK(with([](auto& r) { r.san_uri = "https://evil.example/"; }) == "E5215");
        CHECK(with([](auto& r) { r.san_uri = "iotsky:"; }) == "E5215");
        CHECK(with([](auto& r) { r.san_uri = "iotsky:a,DNS:b"; }) == "E5215");
        CHECK(with([](auto& r) { r.san_uri = "iotsky:" + std::string(250, 'x'); }) == "E5215");
        CHECK(with([](auto& r) { r.not_after = kNow; }) == "E5215");
        CHECK(with([](auto& r) { r.not_after = end_of_2049() + std::chrono::seconds{1}; }) ==
              "E5215");
        CHECK(with([](auto& r) { r.serial = {}; }) == "E5215");
        CHECK(device_template(good, PublicKey{}, kNow).error().number == "E5224");
    }

    TEST_CASE_FIXTURE(LintFixture, "server names that are no names are refused") {
        const auto number = [&](const ServerNames& names) {
            const auto made =
                server_template(ServerUse::mqtt, names, key.public_key(), kNow, random);
            return made ? std::string{"good"} : made.error().number;
        };
        CHECK(number({{"iotsky.local"}, {}}) == "good");
        CHECK(number({{}, {"10.0.0.1"}}) == "good");
        for (const ServerNames& names :
             {ServerNames{}, ServerNames{{""}, {}}, ServerNames{{"a b"}, {}},
              ServerNames{{"a,IP:1.2.3.4"}, {}}, ServerNames{{"x"}, {"fe80::1%eth0"}},
              ServerNames{{"x"}, {"300.1.1.1"}}, ServerNames{{std::string(254, 'a')}, {}}}) {
            CHECK(number(names) == "E5216");
        }
    }

    TEST_CASE_FIXTURE(LintFixture,
                      "no more addresses stand in a certificate than devices can hold") {
        ServerNames names{{"iotsky.local"}, {}};
        for (int i = 0; i < 40; ++i) {
            names.addresses.push_back("10.0.0." + std::to_string(i));
        }
        const auto made =
            server_template(ServerUse::mqtt, names, key.public_key(), kNow, random).value();
        CHECK(made.addresses.size() == kServerAddressesMax);
        CHECK(made.dns.size() == kServerAddressesMax + 1);
    }
}
