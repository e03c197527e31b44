#include "broker/net/handshake_doctor.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <set>
#include <string>

#include "tests/unit/net/tls_server.hpp"

using namespace iotsky;
using namespace iotsky::net;
using namespace std::chrono_literals;

namespace {

HandshakeFailure failure(HandshakeFault fault) {
    HandshakeFailure out;
    out.fault = fault;
    out.listener = "mqtts";
    out.address = "10.20.3.41";
    out.local_address = "10.20.0.9";
    out.server_name = "iot.lan";
    out.certificate_name = "weather";
    out.our_names = "iotsky.local, 10.20.0.5";
    out.detail = "alert unknown_ca";
    return out;
}

}  // namespace

TEST_SUITE("net.handshake_doctor") {
    TEST_CASE("every fault that is told has a number of its own, a reason and a remedy") {
        std::set<std::string> numbers;
        for (int i = 0; i < static_cast<int>(HandshakeFault::left_early); ++i) {
            const auto fault = static_cast<HandshakeFault>(i);
            CAPTURE(to_string(fault));
            const Diagnosis words = diagnose(failure(fault));
            CHECK(words.number.starts_with("E32"));
            CHECK_FALSE(words.title.empty());
            CHECK_FALSE(words.why.empty());
            CHECK_FALSE(words.how.empty());
            numbers.insert(words.number);
        }
        CHECK(numbers.size() == static_cast<std::size_t>(HandshakeFault::left_early));
    }

    TEST_CASE("the words name address, certificate, names and alert") {
        CHECK(diagnose(failure(HandshakeFault::plain_mqtt)).why ==
              "10.20.3.41 spoke plain MQTT to the TLS port.");
        CHECK(diagnose(failure(HandshakeFault::untrusting_peer)).why ==
              "10.20.3.41 does not trust this broker (alert unknown_ca).");
        CHECK(diagnose(failure(HandshakeFault::no_certificate)).why ==
              "10.20.3.41 sent no certificate.");
        CHECK(diagnose(failure(HandshakeFault::wrong_key)).why ==
              "weather's certificate came with another key.");
        HandshakeFailure name = failure(HandshakeFault::peer_refused_name);
        name.detail = "alert bad_certificate";
        CHECK(diagnose(name).why ==
              "10.20.3.41 closed after our certificate (alert bad_certificate). It asked for "
              "\"iot.lan\" (SNI) and reached us on 10.20.0.9; the certificate says iotsky.local, "
              "10.20.0.5.");
        name.server_name.clear();
        CHECK(diagnose(name).why.find("It sent no name (SNI)") != std::string::npos);
    }

    TEST_CASE("equal failures of one address are told once, then counted for ten seconds") {
        RefusalLog log;
        HandshakeDoctor doctor(&log);
        const TimePoint t0{};
        for (int i = 0; i < 15; ++i) {
            doctor.failed(failure(HandshakeFault::no_certificate), t0 + i * 100ms, {});
        }
        doctor.failed(failure(HandshakeFault::wrong_key), t0 + 1s, {});
        HandshakeFailure other = failure(HandshakeFault::no_certificate);
        other.address = "10.20.3.42";
        doctor.failed(other, t0 + 1s, {});
        CHECK(log.told.size() == 3);
        CHECK(log.told[0].server_name == "iot.lan");
        CHECK(doctor.tell_folded(t0 + 9s, {}));
        CHECK(log.told.size() == 3);
        CHECK_FALSE(doctor.tell_folded(t0 + 11s, {}));
        REQUIRE(log.told.size() == 4);
        CHECK(log.told[3].number == "E3203");
        CHECK(log.told[3].count == 14);
        CHECK(log.told[3].what == "connect");
        CHECK(log.told[3].identity == "weather");
        doctor.failed(failure(HandshakeFault::no_certificate), t0 + 12s, {});
        CHECK(log.told.size() == 5);
    }

    TEST_CASE("a peer that leaves before TLS is not told") {
        RefusalLog log;
        HandshakeDoctor doctor(&log);
        doctor.failed(failure(HandshakeFault::left_early), {}, {});
        CHECK(log.told.empty());
    }

    TEST_CASE("a flood of addresses is told a bounded number of times") {
        RefusalLog log;
        HandshakeDoctor doctor(&log);
        for (int i = 0; i < 3'000; ++i) {
            HandshakeFailure f = failure(HandshakeFault::broken);
            f.address = std::to_string(i);
            doctor.failed(f, {}, {});
        }
        CHECK(log.told.size() == HandshakeDoctor::kFoldedMax);
    }
}

TEST_SUITE("net.handshake_faults") {
    TEST_CASE("plain MQTT on the TLS port gets CONNACK 5 in clear, and E3201 is told") {
        TlsServer server;
        const UniqueFd peer = server.connect();
        write_some(peer, std::string_view{"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x", 15});
        bool ended = false;
        std::string got;
        CHECK(server.Loop::until([&] {
            got += read_some(peer, &ended);
            return ended;
        }));
        CHECK(got == std::string("\x20\x02\x00\x05", 4));
        REQUIRE(server.refusals.told.size() == 1);
        CHECK(server.refusals.told[0].number == "E3201");
        CHECK(server.refusals.told[0].address == "10.20.3.41");
        CHECK(server.failed() == 1);
        CHECK(server.sink.opened.empty());
    }

    TEST_CASE("HTTP on the TLS port gets an answer that a browser shows") {
        TlsServer server;
        const UniqueFd peer = server.connect();
        write_some(peer, "GET / HTTP/1.1\r\nHost: iotsky.local:8883\r\n\r\n");
        bool ended = false;
        std::string got;
        CHECK(server.Loop::until([&] {
            got += read_some(peer, &ended);
            return ended;
        }));
        CHECK(got.starts_with("HTTP/1.1 400 "));
        CHECK(got.ends_with("\r\n\r\nThis port speaks MQTT over TLS.\n"));
        REQUIRE(server.refusals.told.size() == 1);
        CHECK(server.refusals.told[0].number == "E3207");
    }

    TEST_CASE("bytes of something else are not given to OpenSSL") {
        TlsServer server;
        const UniqueFd peer = server.connect();
        write_some(peer, "SSH-2.0-OpenSSH\r\n");
        CHECK(server.Loop::until([&] { return !server.refusals.told.empty(); }));
        CHECK(server.refusals.told[0].number == "E3213");
    }

    TEST_CASE("each common mistake of a client has its number, in TLS 1.2 and 1.3") {
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            CAPTURE(version);
            TlsServer server;
            const TestCert foreign_ca = make_cert({"foreign", KeyKind::p256, true, {}, 3600});
            const TestCert foreign =
                make_cert({"stranger", KeyKind::p256, false, {}, 3600}, &foreign_ca);
            const TestCert expired =
                make_cert({"old", KeyKind::p256, false, {}, -60}, &server.pki.device_ca);
            const ossl::KeyPtr other_key = make_wrong_key(*server.pki.device.key);

            CHECK(server.told_for(server.device(version)).empty());
            server.sink.shut_down();

            auto options = server.device(version);
            options.trust = &foreign_ca;
            CHECK(server.told_for(options) == "E3202");

            options = server.device(version);
            options.certificate = nullptr;
            CHECK(server.told_for(options) == "E3203");

            options = server.device(version);
            options.other_key = other_key.get();
            CHECK(server.told_for(options) == "E3204");
            CHECK(server.refusals.told.back().why ==
                  "7b:otter:weather's certificate came with another key.");

            options = server.device(version);
            options.clock_s = 4'000'000'000;  // 2096, after our certificate's end
            CHECK(server.told_for(options) == "E3205");

            options = server.device(version);
            options.server_name = "iot.lan";
            options.check_name = true;
            CHECK(server.told_for(options) == "E3206");
            CHECK(server.refusals.told.back().why.find("\"iot.lan\" (SNI) and reached us on "
                                                       "10.20.0.9; the certificate says "
                                                       "iotsky.local, 127.0.0.1.") !=
                  std::string::npos);

            options = server.device(version);
            options.certificate = &foreign;
            CHECK(server.told_for(options) == "E3208");
            CHECK(server.last_alert == SSL_AD_UNKNOWN_CA);
            CHECK(server.refusals.told.back().identity == "stranger");

            options.certificate = &expired;
            CHECK(server.told_for(options) == "E3208");
            CHECK(server.last_alert == SSL_AD_CERTIFICATE_EXPIRED);
        }
    }

    TEST_CASE("a client without a cipher of ours is told so") {
        TlsServer server;
        auto options = server.device(TLS1_2_VERSION);
        options.ciphers = "AES128-SHA";
        CHECK(server.told_for(options) == "E3210");
    }

    TEST_CASE("registered certificates pass without a chain; strangers of our CA pass as unknown") {
        TlsServer server;
        const TestCert alone = make_cert({"bought elsewhere", KeyKind::p256, false, {}, 3600});
        server.pki.directory.known[alone.der()] = broker::CertificateDirectory::Standing::active;
        auto options = server.device();
        options.certificate = &alone;
        CHECK(server.told_for(options).empty());
        REQUIRE(server.sink.opened.size() == 1);
        CHECK(*server.sink.opened[0].certificate_der == alone.der());
        CHECK(server.sink.opened[0].chain_verified);
        server.sink.shut_down();

        const TestCert stranger = make_cert({"not in the registry", KeyKind::p256, false, {}, 3600},
                                            &server.pki.device_ca);
        options.certificate = &stranger;
        CHECK(server.told_for(options).empty());
        REQUIRE(server.sink.opened.size() == 2);
        CHECK(server.sink.opened[1].chain_verified);
    }

    TEST_CASE("a revoked certificate finishes TLS to be refused in MQTT's words") {
        TlsServer server;
        server.pki.directory.known[server.pki.device.der()] =
            broker::CertificateDirectory::Standing::known_inactive;
        CHECK(server.told_for(server.device()).empty());
        REQUIRE(server.sink.opened.size() == 1);
        CHECK(*server.sink.opened[0].certificate_der == server.pki.device.der());
        CHECK_FALSE(server.sink.opened[0].chain_verified);
    }

    TEST_CASE("revoked and unknown certificates count against their address, also resumed") {
        ListenerOptions limits;
        limits.failures_per_minute_max = 3;
        TlsServer server({}, limits);
        TlsClient first(server.connect(), server.device());
        REQUIRE(server.finish(first));
        first.write("x");
        REQUIRE(server.until(first, [&] { return first.got == "x" && first.session; }));
        server.sink.shut_down();
        const auto refuse = [&] {  // CONNACK 5: so it is not counted as an unfinished CONNECT, too
            CHECK(server.told_for(server.device()).empty());
            server.sink.only().out->append(std::as_bytes(std::span{"CONNACK 5", 9}));
            server.sink.flush();
            server.sink.shut_down();
        };
        server.pki.directory.known[server.pki.device.der()] =
            broker::CertificateDirectory::Standing::known_inactive;
        refuse();
        server.pki.directory.known.clear();
        refuse();
        CHECK(server.shared->limiter.allows({}, server.clock.now()));
        TlsClient again(server.connect(), server.device());
        again.resume(first);
        REQUIRE(server.finish(again));
        CHECK(again.resumed());
        CHECK_FALSE(server.shared->limiter.allows({}, server.clock.now()));
    }

    TEST_CASE("strict_revocation ends it with the alert certificate_revoked") {
        TlsOptions strict;
        strict.strict_revocation = true;
        TlsServer server(strict);
        server.pki.directory.known[server.pki.device.der()] =
            broker::CertificateDirectory::Standing::known_inactive;
        CHECK(server.told_for(server.device()) == "E3211");
        CHECK(server.last_alert == SSL_AD_CERTIFICATE_REVOKED);
    }

    TEST_CASE("client_certificate optional and none let peers in without one") {
        for (const ClientCertificate wish :
             {ClientCertificate::optional, ClientCertificate::none}) {
            TlsOptions options;
            options.client_certificate = wish;
            TlsServer server(options);
            auto client = server.device();
            client.certificate = nullptr;
            CHECK(server.told_for(client).empty());
            REQUIRE(server.sink.opened.size() == 1);
            CHECK(server.sink.opened[0].certificate_der == nullptr);
            CHECK_FALSE(server.sink.opened[0].chain_verified);
        }
    }
}
