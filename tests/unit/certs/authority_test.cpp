#include "certs/authority.hpp"

#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "certs/csr.hpp"
#include "certs/lint.hpp"
#include "tests/unit/certs/csr_maker.hpp"
#include "tests/unit/certs/fixture.hpp"

using namespace iotsky;
using namespace iotsky::certs;
using std::chrono::hours;
using std::chrono::seconds;
using test::CaFixture;
using test::kNow;
using Texts = std::vector<std::string>;

namespace {
Texts values(const NameFields& fields, std::string_view key) {
    Texts out;
    const auto [first, last] = fields.equal_range(key);
    for (auto it = first; it != last; ++it) {
        out.push_back(it->second);
    }
    return out;
}
}  // namespace

TEST_SUITE("certs.authority") {
    TEST_CASE_FIXTURE(CaFixture, "a device certificate says exactly what was asked for") {
        const DeviceRequest wish = request();
        const IssuedDevice device = ca().issue_device_with_key(wish, KeyType::p256, kNow).value();
        const Certificate& cert = device.certificate;
        CHECK(cert.serial_hex() == wish.serial.hex());
        CHECK(cert.subject() == NameFields{{"CommonName", "7b/otter/weather"}});
        CHECK(cert.issuer() == ca().certificate(CaRole::device).subject());
        CHECK(cert.alternative_names() ==
              NameFields{{"UniformResourceIdentifier", "iotsky:school:7b:otter:weather"}});
        CHECK(cert.not_before() == kNow - std::chrono::minutes{5});
        CHECK(cert.not_after() == wish.not_after);
        CHECK(cert.extended_key_usage() == Texts{"clientAuth"});
        CHECK(cert.key_usage() == Texts{"digitalSignature"});
        CHECK_FALSE(cert.is_ca());
        CHECK(cert.public_key() == device.key.public_key());
        CHECK(cert.authority_key_id() == ca().certificate(CaRole::device).subject_key_id());
        CHECK(cert.extensions() == Texts{"critical,basicConstraints", "critical,keyUsage",
                                         "extendedKeyUsage", "subjectKeyIdentifier",
                                         "authorityKeyIdentifier", "subjectAltName"});
        CHECK(ca().issued(cert));
        CHECK(cert.der().size() < 560);  // small devices hold it in RAM
    }

    TEST_CASE_FIXTURE(CaFixture, "RSA keys and keys of a request are signed too") {
        const auto rsa = ca().issue_device_with_key(request(), KeyType::rsa2048, kNow).value();
        CHECK(rsa.certificate.public_key().algorithm == KeyAlgorithm::rsa);
        const Csr csr = parse_csr(test::make_csr({.key = "P-384"})).value();
        const Certificate made = ca().sign_device(request(), csr.public_key, kNow).value();
        CHECK(made.public_key() == csr.public_key);
    }

    TEST_CASE_FIXTURE(CaFixture,
                      "certificates through the AWS API may last until the end of 2049") {
        DeviceRequest wish = request();
        wish.common_name = "AWS IoT Certificate";
        wish.san_uri.clear();
        wish.not_after = end_of_2049();
        const auto made = ca().issue_device_with_key(wish, KeyType::p256, kNow).value();
        CHECK(format_utc(made.certificate.not_after()) == "2049-12-31T23:59:59Z");
        CHECK(made.certificate.alternative_names().empty());
    }

    TEST_CASE_FIXTURE(CaFixture, "what is wrong with a request is told, and nothing is signed") {
        DeviceRequest wish = request();
        wish.not_after = kNow - seconds{1};
        const auto late = ca().issue_device_with_key(wish, KeyType::p256, kNow);
        REQUIRE_FALSE(late.has_value());
        CHECK(late.error().number == "E5215");
        CHECK_FALSE(late.error().how.empty());
        // A machine whose clock is past the CA's end signs nothing that would not verify.
        CHECK_FALSE(ca().sign_device(request(), PublicKey{}, kNow).has_value());
    }

    TEST_CASE_FIXTURE(CaFixture, "the CAs are what devices and decision 9 need") {
        std::set<std::string> names;
        std::set<Fingerprint> keys;
        for (const CaRole role :
             {CaRole::server, CaRole::server_next, CaRole::device_root, CaRole::device}) {
            const Certificate& cert = ca().certificate(role);
            CAPTURE(to_string(role));
            CHECK(cert.is_ca());
            CHECK(cert.public_key().algorithm == KeyAlgorithm::p256);
            CHECK(cert.not_before() == from_unix_s(0));
            CHECK(format_utc(cert.not_after()) == "2049-12-31T23:59:59Z");
            CHECK(cert.key_usage() == Texts{"keyCertSign", "cRLSign"});
            CHECK(values(cert.subject(), "Organization") == Texts{"school"});
            CHECK(cert.path_length() == (role == CaRole::device_root ? 1 : 0));
            names.insert(cert.common_name());
            keys.insert(cert.public_key().fingerprint());
            CHECK(parse_ca_role(to_string(role)).value() == role);
        }
        CHECK(names.size() == 4);
        CHECK(keys.size() == 4);
        CHECK(parse_ca_role("root").error().number == "E5205");
        CHECK(
            is_signed_by(ca().certificate(CaRole::device), ca().certificate(CaRole::device_root)));
        CHECK(ca().server_trust_pem() ==
              ca().certificate(CaRole::server).pem() + ca().certificate(CaRole::server_next).pem());
        CHECK(ca().device_trust().roots_pem == ca().certificate(CaRole::device_root).pem());
        CHECK(ca().device_trust().intermediates_pem == ca().certificate(CaRole::device).pem());
    }

    TEST_CASE_FIXTURE(CaFixture,
                      "the MQTT certificate holds in 1970 and by address as a DNS name") {
        const Certificate& cert = opened.servers.mqtt.certificate;
        CHECK(cert.not_before() == from_unix_s(0));
        CHECK(format_utc(cert.not_after()) == "2049-12-31T23:59:59Z");
        CHECK(cert.public_key().algorithm == KeyAlgorithm::p256);
        CHECK(values(cert.alternative_names(), "DNSName") ==
              Texts{"iotsky.local", "192.168.1.5", "fd00::5"});
        CHECK(values(cert.alternative_names(), "IPAddress") == Texts{"192.168.1.5", "fd00::5"});
        CHECK(cert.extended_key_usage() == Texts{"serverAuth"});
        CHECK(cert.common_name() == "iotsky.local");
        // Directly under the root: the leaf is all that is sent.
        CHECK(opened.servers.mqtt.chain_pem() == cert.pem());
        for (const WallTime at : {from_unix_s(30), kNow, end_of_2049() - seconds{1}}) {
            CHECK(verify_chain(cert, {}, ca().certificate(CaRole::server), ChainUse::tls_server, at)
                      .has_value());
        }
        CHECK(PrivateKey::from_pem(opened.servers.mqtt.key_pem.view()).value().public_key() ==
              cert.public_key());
    }

    TEST_CASE_FIXTURE(CaFixture, "the web certificate lasts 397 days at most and is due in time") {
        const Certificate& cert = opened.servers.web.certificate;
        CHECK(cert.not_after() - cert.not_before() < hours{24 * 397});
        CHECK(cert.not_after() - cert.not_before() > hours{24 * 396});
        CHECK_FALSE(opened.servers.web.due(kNow));
        CHECK_FALSE(opened.servers.web.due(kNow + hours{24 * 200}));
        CHECK(opened.servers.web.due(kNow + hours{24 * 300}));
        CHECK(cert.public_key() != opened.servers.mqtt.certificate.public_key());
    }

    TEST_CASE_FIXTURE(CaFixture,
                      "a new address re-issues the server certificates under their keys") {
        const ServerNames names{{"iotsky.local"}, {"10.20.0.9"}};
        ServerCertificates servers = opened.servers.clone();
        CHECK_FALSE(servers.mqtt.covers(names));
        CHECK_FALSE(servers.mqtt.covers(std::span{names.addresses}));
        const auto told = ca().refresh(servers, names, kNow, random).value();
        REQUIRE(told.size() == 1);
        CHECK(told[0].number == "W1105");
        CHECK(servers.mqtt.covers(names));
        CHECK(servers.web.covers(names));
        const ServerIdentity& fresh = servers.mqtt;
        CHECK(fresh.certificate.public_key() == opened.servers.mqtt.certificate.public_key());
        CHECK(fresh.certificate.serial_hex() != opened.servers.mqtt.certificate.serial_hex());
        CHECK(fresh.key_pem.view() == opened.servers.mqtt.key_pem.view());
        CHECK(test::slurp(folder.path() / "ca/server.crt") == fresh.certificate.pem());
        const Certificate kept = fresh.certificate;
        CHECK(ca().refresh(servers, names, kNow, random).value().empty());
        CHECK(servers.mqtt.certificate == kept);
    }

    TEST_CASE_FIXTURE(CaFixture, "an address covers itself however it is written") {
        const Texts written{"FD00:0::5", "192.168.1.5"};
        CHECK(opened.servers.mqtt.covers(std::span{written}));
    }

    TEST_CASE_FIXTURE(CaFixture, "several threads sign at once, each certificate is its own") {
        std::vector<DeviceRequest> wishes;
        for (int i = 0; i < 40; ++i) {
            wishes.push_back(request());
        }
        std::vector<std::string> serials(wishes.size());
        std::vector<std::thread> threads;
        for (std::size_t t = 0; t < 4; ++t) {
            threads.emplace_back([&, t] {
                for (std::size_t i = t; i < wishes.size(); i += 4) {
                    const auto made = ca().issue_device_with_key(wishes[i], KeyType::p256, kNow);
                    serials[i] = made ? made->certificate.serial_hex() : made.error().why;
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        for (std::size_t i = 0; i < wishes.size(); ++i) {
            CHECK(serials[i] == wishes[i].serial.hex());
        }
    }

    TEST_CASE_FIXTURE(CaFixture, "a root can be exported, encrypted or plain, and only a root") {
        const auto plain = ca().export_root(CaRole::device_root, "").value();
        const std::string_view text = plain.view();
        const std::size_t key_start = text.find("-----BEGIN PRIVATE KEY-----");
        REQUIRE(key_start != std::string_view::npos);
        CHECK(Certificate::parse(text.substr(0, key_start)).value() ==
              ca().certificate(CaRole::device_root));
        CHECK(PrivateKey::from_pem(text.substr(key_start)).value().public_key() ==
              ca().certificate(CaRole::device_root).public_key());
        const auto sealed = ca().export_root(CaRole::server, "secret").value();
        CHECK(sealed.view().find("BEGIN ENCRYPTED PRIVATE KEY") != std::string_view::npos);
        CHECK(sealed.view().find("BEGIN PRIVATE KEY") == std::string_view::npos);
        CHECK(ca().export_root(CaRole::device, "x").error().number == "E5217");
    }

    TEST_CASE_FIXTURE(CaFixture, "a root taken off signs no more, and devices go on") {
        CHECK(ca().has_key(CaRole::device_root));
        CHECK(ca().delete_root_key(CaRole::device_root).has_value());
        CHECK_FALSE(ca().has_key(CaRole::device_root));
        CHECK_FALSE(std::filesystem::exists(folder.path() / "ca/device-root.key"));
        CHECK(ca().export_root(CaRole::device_root, "").error().number == "E5213");
        CHECK(ca().delete_root_key(CaRole::device_root).error().number == "E5213");
        CHECK(ca().delete_root_key(CaRole::device).error().number == "E5217");
        CHECK(ca().issue_device_with_key(request(), KeyType::p256, kNow).has_value());
        CHECK(Authority::open(test::options_for(folder.path()), kNow, random).has_value());
    }

    TEST_CASE_FIXTURE(CaFixture, "openssl verify accepts the chains we make") {
        const auto device = ca().issue_device_with_key(request(), KeyType::p256, kNow).value();
        const auto path = [&](const char* name) { return (folder.path() / name).string(); };
        test::spill(path("device.crt"), device.certificate.pem());
        const std::string at = " -x509_strict -attime " + std::to_string(to_unix_s(kNow));
        std::string output;
        CHECK_MESSAGE(test::run("openssl verify" + at + " -purpose sslclient -CAfile " +
                                    path("ca/device-root.crt") + " -untrusted " +
                                    path("ca/device-ca.crt") + " " + path("device.crt"),
                                output) == 0,
                      output);
        CHECK_MESSAGE(test::run("openssl verify -x509_strict -attime 30 -purpose sslserver "
                                "-verify_ip 192.168.1.5 -CAfile " +
                                    path("server-ca.crt") + " " + path("ca/server.crt"),
                                output) == 0,
                      output);
        CHECK_MESSAGE(test::run("openssl verify" + at +
                                    " -purpose sslserver -verify_hostname "
                                    "iotsky.local -CAfile " +
                                    path("server-ca.crt") + " " + path("ca/web.crt"),
                                output) == 0,
                      output);
        // A device certificate is no server certificate, and the server CA no device CA.
        CHECK(test::run("openssl verify" + at + " -purpose sslserver -CAfile " +
                            path("ca/device-root.crt") + " -untrusted " + path("ca/device-ca.crt") +
                            " " + path("device.crt"),
                        output) != 0);
        CHECK(test::run("openssl verify" + at + " -CAfile " + path("server-ca.crt") + " " +
                            path("device.crt"),
                        output) != 0);
    }
}
