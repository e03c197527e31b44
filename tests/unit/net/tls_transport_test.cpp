#include "broker/net/tls_transport.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "tests/unit/net/tls_server.hpp"

using namespace iotsky;
using namespace iotsky::net;
using namespace std::chrono_literals;
using broker::CloseReason;

namespace {

TlsTransport& tls_of(EchoSink& sink) {
    return dynamic_cast<TlsTransport&>(*sink.only().transport);
}

std::string key_name(const TicketKeySet& keys) {
    return {keys.current.begin(), keys.current.begin() + 16};
}

}  // namespace

TEST_SUITE("net.tls_transport") {
    TEST_CASE("TLS 1.2 and 1.3, P-256 and RSA clients: handshake, echo, facts about the peer") {
        TlsServer server;
        const TestCert rsa =
            make_cert({"rsa device", KeyKind::rsa, false, {}, 3600}, &server.pki.device_ca);
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            for (const TestCert* certificate :
                 std::initializer_list<const TestCert*>{&server.pki.device, &rsa}) {
                CAPTURE(version);
                auto options = server.device(version);
                options.certificate = certificate;
                options.server_name = "iotsky.local";
                options.alpn = "x-amzn-mqtt-ca";
                TlsClient client(server.connect(), options);
                REQUIRE(server.finish(client));
                client.write("hello");
                CHECK(server.until(client, [&] { return client.got == "hello"; }));
                const broker::PeerInfo& peer = server.sink.only().transport->peer();
                CHECK(peer.tls);
                CHECK(peer.tls_version == (version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2"));
                CHECK(peer.server_name == "iotsky.local");
                CHECK(peer.alpn == "x-amzn-mqtt-ca");
                CHECK(*peer.certificate_der == certificate->der());
                CHECK(peer.chain_verified);
                CHECK_FALSE(peer.resumed);
                CHECK(peer.address == "10.20.3.41");
                CHECK(client.tickets == 1);
                server.sink.shut_down();
            }
        }
        CHECK(server.shared->handshakes.full == 4);
        CHECK(server.shared->handshakes.resumed == 0);
        CHECK(server.refusals.told.empty());
    }

    TEST_CASE("ALPN: mqtt is taken, others and none do not hinder") {
        TlsServer server;
        for (const char* offered : {"mqtt", "h2", ""}) {
            CAPTURE(offered);
            auto options = server.device();
            options.alpn = offered;
            TlsClient client(server.connect(), options);
            REQUIRE(server.finish(client));
            CHECK(server.sink.only().transport->peer().alpn ==
                  (std::string{offered} == "mqtt" ? "mqtt" : ""));
            server.sink.shut_down();
        }
    }

    TEST_CASE("browsers are told whose certificates fit, devices are not") {
        for (const bool http : {true, false}) {
            CAPTURE(http);
            TlsOptions options;
            options.http = http;
            TlsServer server(options);
            TlsClient client(server.connect(), server.device());
            REQUIRE(server.finish(client));
            const STACK_OF(X509_NAME)* const names = SSL_get0_peer_CA_list(client.ssl());
            const X509_NAME* const issuer =
                X509_get_issuer_name(server.pki.device.certificate.get());
            bool fits = false;
            for (int i = 0; i < sk_X509_NAME_num(names); ++i) {
                fits |= X509_NAME_cmp(sk_X509_NAME_value(names, i), issuer) == 0;
            }
            CHECK(fits == http);
            CHECK((sk_X509_NAME_num(names) > 0) == http);
        }
    }

    TEST_CASE("a client with a certificate resumes, also after a restart with the same keys") {
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            CAPTURE(version);
            TlsServer server;
            TlsClient first(server.connect(), server.device(version));
            REQUIRE(server.finish(first));
            first.write("x");
            REQUIRE(server.until(first, [&] { return first.got == "x" && first.session; }));
            server.sink.shut_down();

            server.slot->set(server.pki.context());  // what a restart makes of the same files
            TlsClient second(server.connect(), server.device(version));
            second.resume(first);
            REQUIRE(server.finish(second));
            second.write("again");
            CHECK(server.until(second, [&] { return second.got == "again"; }));
            CHECK(second.resumed());
            const broker::PeerInfo& peer = server.sink.only().transport->peer();
            CHECK(peer.resumed);
            CHECK(*peer.certificate_der == server.pki.device.der());
            CHECK(peer.chain_verified);
            CHECK(second.tickets == (version == TLS1_3_VERSION ? 1 : 0));  // the next one
            CHECK(server.shared->handshakes.resumed == 1);
            server.sink.shut_down();

            TicketKeySet rotated = TestPki::keys(99);
            rotated.previous = server.pki.tickets.current;
            server.pki.tickets = rotated;
            server.slot->set(server.pki.context());
            TlsClient third(server.connect(), server.device(version));
            third.resume(second);
            REQUIRE(server.finish(third));
            third.write("third");
            CHECK(server.until(third, [&] { return third.got == "third"; }));
            CHECK(third.resumed());
            CHECK(third.ticket_key_name() == key_name(rotated));  // renewed under the new key
            server.sink.shut_down();

            server.pki.tickets = TestPki::keys(7);
            server.slot->set(server.pki.context());
            TlsClient fourth(server.connect(), server.device(version));
            fourth.resume(third);
            REQUIRE(server.finish(fourth));
            CHECK_FALSE(fourth.resumed());
        }
    }

    TEST_CASE("a new server certificate serves new connections and drops none") {
        TlsServer server;
        TlsClient old(server.connect(), server.device());
        REQUIRE(server.finish(old));
        server.pki.server = make_cert({"iotsky", KeyKind::p256, false, "DNS:renewed.lan", 3600},
                                      &server.pki.server_ca);
        server.slot->set(server.pki.context());
        auto options = server.device();
        options.server_name = "renewed.lan";
        options.check_name = true;
        TlsClient fresh(server.connect(), options);
        REQUIRE(server.until(fresh, [&] { return server.sink.conns.size() == 2; }));
        old.write("still here");
        CHECK(server.until(old, [&] { return old.got == "still here"; }));
    }

    TEST_CASE("bytes may be cut anywhere") {
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            for (const std::size_t chunk : {1U, 2U, 3U, 7U, 64U}) {
                CAPTURE(version);
                CAPTURE(chunk);
                TlsServer server;
                TlsClient client(server.connect(), server.device(version));
                REQUIRE(server.finish(client, chunk));
                client.write("a message");
                CHECK(server.until(
                    client, [&] { return client.got == "a message"; }, chunk));
            }
        }
    }

    TEST_CASE("an unfinished record costs its own length, and nothing once it is whole") {
        TlsServer server;
        TlsClient client(server.connect(), server.device());
        REQUIRE(server.finish(client));
        client.write(std::string(1000, 'x'));
        client.flush(7);
        CHECK(server.Loop::until([&] { return tls_of(server.sink).inbound_bytes() != 0; }));
        CHECK(tls_of(server.sink).inbound_bytes() == 7);
        CHECK_FALSE(server.poller.has_work());
        CHECK(server.until(client, [&] { return client.got.size() == 1000; }));
        CHECK(tls_of(server.sink).inbound_bytes() == 0);
    }

    TEST_CASE("one megabyte goes both ways at once") {
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            TlsServer server;
            TlsClient client(server.connect(), server.device(version));
            REQUIRE(server.finish(client));
            const std::string sent = pattern(1U << 20U);
            client.write(sent);
            CHECK(server.until(client, [&] { return client.got.size() == sent.size(); }));
            CHECK(client.got == sent);
            CHECK(server.sink.only().largest_read <= (64U << 10U) + IoBuffers::kRecordBytesMax);
        }
    }

    TEST_CASE("a blocked writer goes on correctly, though the peer updated its keys meanwhile") {
        TlsServer server;
        server.sink.echo = false;
        TlsClient client(server.connect(), server.device());
        REQUIRE(server.finish(client));
        const std::string sent = pattern(4U << 20U);
        const std::uint32_t slot = server.sink.conns.begin()->first;
        server.sink.send(slot, sent);
        server.turns(2);
        REQUIRE(server.sink.only().blocked);
        CHECK_FALSE(tls_of(server.sink).kept().empty());
        client.key_update(true);
        client.flush();
        server.turns(2);
        client.key_update(true);  // the second one during a blocked write
        client.flush();
        server.turns(2);
        server.sink.only().out->clear();  // what a full queue drops
        server.sink.send(slot, "the end");
        CHECK(server.until(client, [&] { return client.got.ends_with("the end"); }));
        CHECK_FALSE(client.failed);
        client.got.resize(client.got.size() - 7);
        CHECK(sent.starts_with(client.got));
        CHECK(server.sink.closed.empty());
    }

    TEST_CASE("a few key updates are answered, a flood of them ends the connection quickly") {
        TlsServer server;
        TlsClient calm(server.connect(), server.device());
        REQUIRE(server.finish(calm));
        for (int i = 0; i < 20; ++i) {
            calm.key_update(true);
            calm.write(".");
        }
        CHECK(server.until(calm, [&] { return calm.got.size() == 20; }));
        CHECK(server.sink.closed.empty());

        TlsClient flood(server.connect(), server.device());
        REQUIRE(server.until(flood, [&] { return server.sink.conns.size() == 2; }));
        for (int i = 0; i < 3'000; ++i) {
            flood.key_update(false);
        }
        CHECK(server.Loop::until([&] {
            flood.flush();
            return server.sink.closed.size() == 1;
        }));
        CHECK(server.sink.closed[0] == CloseReason::protocol_error);
        calm.write("alive");
        CHECK(server.until(calm, [&] { return calm.got.ends_with("alive"); }));
    }

    TEST_CASE("a slice without application data ends the connection's turn") {
        TlsServer server;
        TlsClient client(server.connect(), server.device());
        REQUIRE(server.finish(client));
        server.sink.echo = false;
        for (int i = 0; i < 30; ++i) {
            client.key_update(false);
        }
        client.write("after");
        client.flush();
        server.turns(1);
        CHECK(server.until(client, [&] { return server.sink.only().received == "after"; }));
    }

    TEST_CASE("a record that is not authentic closes the connection with an alert") {
        TlsServer server;
        TlsClient client(server.connect(), server.device());
        REQUIRE(server.finish(client));
        client.write("forged");
        client.to_send.back() = static_cast<char>(client.to_send.back() ^ 1);
        CHECK(server.until(client, [&] { return client.ended; }));
        CHECK(server.sink.closed == std::vector{CloseReason::protocol_error});
        CHECK(client.alert == SSL_AD_BAD_RECORD_MAC);
        CHECK(server.sink.conns.empty());
    }

    TEST_CASE("bytes in clear after the handshake close the connection") {
        TlsServer server;
        TlsClient client(server.connect(), server.device());
        REQUIRE(server.finish(client));
        write_some(client.fd(), "GET / HTTP/1.1\r\n\r\n");
        CHECK(server.until(client, [&] { return client.ended; }));
        CHECK(server.sink.closed == std::vector{CloseReason::protocol_error});
    }

    TEST_CASE("close says close_notify after the last bytes; the peer's is an ordinary end") {
        TlsServer server;
        server.sink.echo = false;
        TlsClient client(server.connect(), server.device());
        REQUIRE(server.finish(client));
        server.sink.send(0, "CONNACK 5");
        server.sink.flush();
        server.sink.end(0);
        CHECK(server.until(client, [&] { return client.goodbye && client.ended; }));
        CHECK(client.got == "CONNACK 5");

        TlsClient other(server.connect(), server.device());
        REQUIRE(server.finish(other));
        other.write("bye");
        SSL_shutdown(other.ssl());
        other.collect();
        CHECK(server.until(other, [&] { return !server.sink.closed.empty(); }));
        CHECK(server.sink.closed == std::vector{CloseReason::peer_closed});
    }

    TEST_CASE("the last bytes and close_notify arrive though the kernel was full at the close") {
        TlsServer server;
        server.sink.echo = false;
        TlsClient client(server.connect(), server.device());
        REQUIRE(server.finish(client));
        const std::string sent = pattern(250'000);
        server.sink.send(0, sent);
        server.turns(1);
        const std::size_t left = server.sink.only().out->size();
        REQUIRE_FALSE(tls_of(server.sink).kept().empty());
        server.sink.end(0);
        CHECK(server.until(client, [&] { return client.goodbye && client.ended; }));
        CHECK(client.got == sent.substr(0, sent.size() - left));
    }

    TEST_CASE("records are no larger than the peer's max_fragment_length") {
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            TlsServer server;
            auto options = server.device(version);
            options.fragment_code = TLSEXT_max_fragment_length_512;
            TlsClient client(server.connect(), options);
            REQUIRE(server.finish(client));
            server.sink.echo = false;
            const std::string sent = pattern(5'000);
            server.sink.send(0, sent);
            CHECK(server.until(client, [&] { return client.got == sent; }));
            CHECK(client.largest_record == 512);
        }
    }

    TEST_CASE("a connection moved in mid-stream goes on, with bytes of it in all places") {
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            CAPTURE(version);
            TlsServer first;
            Loop second;
            first.sink.echo = false;
            second.sink.echo = false;
            TlsClient client(first.connect(), first.device(version));
            REQUIRE(first.finish(client));
            // The kernel holds whole records and the head of one; the transport holds a head, too.
            const std::string sent = pattern(200'000);
            client.write(sent);
            std::string received;
            std::unique_ptr<broker::Transport> moving;
            first.sink.on_input = [&](std::uint32_t slot) {
                received = first.sink.conns.at(slot).received;
                moving = first.sink.give_away(slot);
                return false;
            };
            client.flush(40'000);
            REQUIRE(first.Loop::until([&] { return moving != nullptr; }));
            client.flush(50'000);
            CHECK(dynamic_cast<TlsTransport&>(*moving).inbound_bytes() > 0);
            second.sink.adopt(std::move(moving));
            CHECK(second.until([&] {
                client.flush();
                return received.size() + second.sink.only().received.size() == sent.size();
            }));
            CHECK(received + second.sink.only().received == sent);
            second.sink.send(0, "from the new home");
            CHECK(second.until([&] {
                client.pump();
                return client.got == "from the new home";
            }));
            first.turns(2);
            CHECK(first.sink.closed.empty());
        }
    }

    TEST_CASE("application data that comes with the last flight is not forgotten") {
        TlsServer server;
        TlsClient client(server.connect(), server.device());
        REQUIRE(server.Loop::until([&] {
            client.pump(0);  // advances, and sends nothing by itself
            if (!client.ready()) {
                client.flush();
                return false;
            }
            return true;
        }));
        client.write(
            "CONNECT");  // Certificate, CertificateVerify, Finished and this in one segment
        client.flush();
        CHECK(server.until(client, [&] { return client.got == "CONNECT"; }));
    }
}

TEST_SUITE("net.tls_handshake") {
    TEST_CASE("a handshake that is not finished in time is ended and told") {
        ListenerOptions options;
        options.handshake_timeout = 40ms;
        TlsServer server({}, options);
        const UniqueFd silent = server.connect();
        TlsClient half(server.connect(), server.device());
        half.pump();
        const TimePoint begin = server.clock.now();
        bool ended = false;
        CHECK(server.Loop::until([&] {
            read_some(silent, &ended);
            return ended && server.refusals.told.size() == 1;
        }));
        CHECK(server.clock.now() - begin < 4s);
        CHECK(server.refusals.told[0].number == "E3209");
        CHECK(server.failed(HandshakeFault::timed_out) == 2);
        CHECK(server.poller.counters().handshakes_waiting.get() == 0);
        CHECK(server.sink.opened.empty());
    }

    TEST_CASE("a peer that resets or leaves in its handshake leaves nothing behind") {
        TlsServer server;
        { const UniqueFd scanner = server.connect(); }
        TlsClient half(server.connect(), server.device());
        half.pump();
        server.turns(2);
        half.drop();
        CHECK(server.Loop::until([&] { return server.failed() == 2; }));
        CHECK(server.poller.quiet());
        CHECK(server.failed(HandshakeFault::left_early) == 1);
        CHECK(server.failed(HandshakeFault::peer_refused_name) == 1);
    }

    TEST_CASE("failed handshakes count against their address") {
        ListenerOptions options;
        options.failures_per_minute_max = 1;
        TlsServer server({}, options);
        const UniqueFd peer = server.connect();
        write_some(peer, "SSH-2.0-OpenSSH\r\n");
        CHECK(server.Loop::until([&] { return !server.refusals.told.empty(); }));
        CHECK_FALSE(server.shared->limiter.allows({}, server.clock.now()));
        CHECK(server.poller.counters().unfinished_connects.get() == 0);  // counted once
    }

    TEST_CASE("a storm of handshakes is taken in slices; live connections go on meanwhile") {
        PollerOptions slow;
        slow.handshake_budget = 1us;  // one step a turn
        TlsServer server({}, TlsServer::patient(), slow);
        TlsClient live(server.connect(), server.device());
        REQUIRE(server.finish(live));
        std::vector<std::unique_ptr<TlsClient>> storm;
        for (int i = 0; i < 20; ++i) {
            storm.push_back(std::make_unique<TlsClient>(server.connect(), server.device()));
            storm.back()->pump();
        }
        live.write("ping");
        live.flush();
        server.turns(2);
        live.pump();
        CHECK(live.got == "ping");
        CHECK(server.poller.has_work());
        CHECK(server.sink.conns.size() == 1);
        CHECK(server.Loop::until([&] {
            for (auto& client : storm) {
                client->pump();
            }
            return server.sink.conns.size() == 21;
        }));
    }

    TEST_CASE("what cannot be a server's certificate, key or CA is refused with its number") {
        TestPki pki;
        const auto make = [&](const std::string& chain, const std::string& key,
                              const std::string& roots) {
            TlsMaterial material;
            material.chain_pem = chain;
            material.key_pem = key;
            material.client_roots_pem = roots;
            const auto context = TlsContext::make({}, material, &pki.directory);
            return context.has_error() ? context.error().number : std::string{};
        };
        const std::string chain = pki.server.cert_pem();
        const std::string key = pki.server.key_pem();
        const std::string roots = pki.device_ca.cert_pem();
        CHECK(make(chain, key, roots).empty());
        CHECK(make(chain + pki.server_ca.cert_pem(), key, roots + roots).empty());
        CHECK(make("", key, roots) == "E3221");
        CHECK(make("nonsense", key, roots) == "E3221");
        CHECK(make(chain.substr(0, 200), key, roots) == "E3221");
        CHECK(make(chain, "", roots) == "E3222");
        CHECK(make(chain, pki.device.key_pem(), roots) == "E3222");
        CHECK(make(chain, key, "") == "E3223");
        CHECK(make(chain, key, roots + roots.substr(0, 100)) == "E3223");
    }
}
