#include "certs/certificate.hpp"

#include <doctest/doctest.h>

#include "certs/common_name.hpp"
#include "certs/profile.hpp"
#include "tests/unit/certs/foreign_certificate.hpp"

using namespace iotsky;
using namespace iotsky::certs;
using test::kForeignPem;

namespace {
std::vector<std::string> values(const NameFields& fields, std::string_view key) {
    std::vector<std::string> out;
    const auto [first, last] = fields.equal_range(key);
    for (auto it = first; it != last; ++it) {
        out.push_back(it->second);
    }
    return out;
}
using Texts = std::vector<std::string>;
}  // namespace

TEST_SUITE("certs.certificate") {
    TEST_CASE("a foreign certificate is read into the names of the policy variables") {
        const Certificate cert = Certificate::parse(kForeignPem).value();
        CHECK(values(cert.subject(), "Country") == Texts{"AT"});
        CHECK(values(cert.subject(), "Organization") == Texts{"Otter School"});
        CHECK(values(cert.subject(), "OrganizationalUnit") == Texts{"7b", "lab"});
        CHECK(values(cert.subject(), "State") == Texts{"Tirol"});
        CHECK(values(cert.subject(), "CommonName") == Texts{"w\xc3\xa4tter"});
        CHECK(values(cert.subject(), "SerialNumber") == Texts{"A-17"});
        CHECK(values(cert.subject(), "2.5.4.7") == Texts{"Imst"});  // locality has no variable
        CHECK(cert.common_name() == "w\xc3\xa4tter");
        CHECK(cert.issuer() == cert.subject());
        CHECK(cert.serial_hex() == "0102030405");
    }

    TEST_CASE("alternative names of every kind are read") {
        const Certificate cert = Certificate::parse(kForeignPem).value();
        const NameFields& names = cert.alternative_names();
        CHECK(values(names, "DNSName") == Texts{"a.example", "b.example"});
        CHECK(values(names, "IPAddress") == Texts{"192.0.2.7", "2001:db8::7"});
        CHECK(values(names, "RFC822Name") == Texts{"otter@example.org"});
        CHECK(values(names, "UniformResourceIdentifier") == Texts{"urn:thing:17"});
        CHECK(values(names, "RegisteredId") == Texts{"1.2.3.4"});
        CHECK(values(names, "DirectoryName") == Texts{"CN=inner"});
    }

    TEST_CASE("usage, ids and dates are read; a date without end is cut to what a clock can hold") {
        const Certificate cert = Certificate::parse(kForeignPem).value();
        CHECK(cert.key_usage() == Texts{"digitalSignature", "keyAgreement"});
        CHECK(cert.extended_key_usage() == Texts{"serverAuth", "clientAuth"});
        CHECK_FALSE(cert.is_ca());
        CHECK(cert.public_key().algorithm == KeyAlgorithm::p256);
        CHECK(cert.subject_key_id().size() == 40);
        CHECK(format_utc(cert.not_before()) == "2020-01-02T03:04:05Z");
        CHECK(format_utc(cert.not_after()).substr(0, 4) == "2262");  // it says 9999
    }

    TEST_CASE("DER and PEM give the same certificate") {
        const Certificate cert = Certificate::parse(kForeignPem).value();
        const std::string der(cert.der().begin(), cert.der().end());
        CHECK(Certificate::parse(der).value() == cert);
        CHECK(Certificate::parse(cert.pem()).value() == cert);
        CHECK(cert.pem() == kForeignPem);
        CHECK(cert.fingerprint() == Fingerprint::of(cert.der()));
    }

    TEST_CASE("a certificate that is cut off anywhere, or followed by anything, is refused") {
        const Certificate cert = Certificate::parse(kForeignPem).value();
        const std::string der(cert.der().begin(), cert.der().end());
        for (std::size_t length = 0; length < der.size(); ++length) {
            CAPTURE(length);
            CHECK(Certificate::parse(der.substr(0, length)).error().number == "E5230");
        }
        for (std::size_t length = 0; length + 1 < cert.pem().size(); ++length) {
            CAPTURE(length);
            CHECK(Certificate::parse(cert.pem().substr(0, length)).error().number == "E5230");
        }
        CHECK(Certificate::parse(der + "x").error().number == "E5230");
        CHECK(Certificate::parse(cert.pem() + cert.pem()).error().number == "E5230");
        CHECK(Certificate::parse(std::string(kCertificateBytesMax + 1, 'x')).error().number ==
              "E5230");
    }

    TEST_CASE("a flipped byte never crashes the reader") {
        const Certificate cert = Certificate::parse(kForeignPem).value();
        const std::string der(cert.der().begin(), cert.der().end());
        int readable = 0;
        for (std::size_t i = 0; i < der.size(); ++i) {
            std::string bent = der;
            bent[i] = static_cast<char>(bent[i] ^ 0x41);
            const auto read = Certificate::parse(bent);
            readable += read ? 1 : 0;
            if (read) {
                CHECK(read->fingerprint() != cert.fingerprint());
            }
        }
        CHECK(readable > 0);  // a changed name is still a certificate; its fingerprint tells
    }

    TEST_CASE("a long path keeps its end when it becomes a common name") {
        const std::string part(40, 'a');
        CHECK(fit_common_name("7b/otter/weather") == "7b/otter/weather");
        CHECK(fit_common_name(part + "/" + part + "/" + part) == part);
        CHECK(fit_common_name("7b/" + part + "/weather") == "7b/" + part + "/weather");
        CHECK(fit_common_name(std::string(90, 'x')).size() == kCommonNameMax);
    }
}
