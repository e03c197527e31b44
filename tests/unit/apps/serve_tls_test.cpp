// Certificates and ticket keys of a broker that runs for years: real TLS over socket pairs, a clock
// that the test moves.
#include <openssl/pem.h>

#include "apps/serve/server_tls.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/apps/cli_run.hpp"
#include "tests/unit/net/tls_server.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace iotsky::apps::test;
using std::chrono::hours;

namespace {

net::ossl::BioPtr reader(std::string_view pem) {
    return net::ossl::BioPtr{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
}

net::ossl::X509Ptr certificate_of(std::string_view pem) {
    return net::ossl::X509Ptr{PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr)};
}

net::ossl::KeyPtr key_of(std::string_view pem) {
    return net::ossl::KeyPtr{PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr)};
}

const certs::ServerNames kNames{{"iotsky.local"}, {"10.20.0.5"}};

/// A CA in a folder of its own, and a TLS server that serves what ServerTls says.
struct Fixture {
    TemporaryFolder folder;
    ManualClock clock;
    SeededRandom random{5};
    certs::OpenedAuthority ca = open();
    std::unique_ptr<ServerTls> tls;
    net::TlsServer server;
    net::TestCert trust{certificate_of(ca.authority->certificate(certs::CaRole::server).pem()), {}};
    net::TestCert device = make_device();

    Fixture() { start(); }

    certs::OpenedAuthority open() {
        certs::AuthorityOptions options;
        options.data_folder = folder.path();
        options.names = kNames;
        return certs::Authority::open(options, clock.wall_now(), random).value();
    }
    net::TestCert make_device() {
        const certs::DeviceRequest request{"7b/otter/weather", "", clock.wall_now() + hours{9'000},
                                           certs::new_serial(random)};
        const auto made =
            ca.authority->issue_device_with_key(request, certs::KeyType::p256, clock.wall_now())
                .value();
        net::TestCert out{certificate_of(made.certificate.pem()), key_of(made.key.pem().view())};
        server.pki.directory.known[out.der()] = broker::CertificateDirectory::Standing::active;
        return out;
    }
    /// What a start of the program makes of the folder.
    void start() {
        tls = ServerTls::make(ca.authority, ca.servers.clone(), server.pki.directory, kNames,
                              folder.path(), clock, random)
                  .value();
        server.slot = tls->slot_for(Listener{}).value();
        server.shared = std::make_shared<net::ListenerShared>(net::TlsServer::patient(),
                                                              server.slot, server.doctor);
    }
    [[nodiscard]] net::TlsClient::Options options(int version) const {
        net::TlsClient::Options out;
        out.trust = &trust;
        out.certificate = &device;
        out.version = version;
        return out;
    }
    /// A connection that has said hello and got its ticket; one with `earlier` offers its.
    std::unique_ptr<net::TlsClient> connect(int version, const net::TlsClient* earlier = nullptr) {
        auto client = std::make_unique<net::TlsClient>(server.connect(), options(version));
        if (earlier != nullptr) {
            client->resume(*earlier);
        }
        REQUIRE(server.finish(*client));
        client->write("x");
        REQUIRE(server.until(*client, [&] { return client->got == "x"; }));
        server.sink.shut_down();
        return client;
    }
    std::vector<Error> upkeep(const certs::ServerNames& names = kNames) {
        return tls->upkeep(names);
    }
};

}  // namespace

TEST_SUITE("apps.server_tls") {
    TEST_CASE("ticket keys rotate while it runs; a session of the key before still resumes") {
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            CAPTURE(version);
            Fixture f;
            const auto first = f.connect(version);
            const std::string keys = f.folder.read("ca/tickets.key");
            f.clock.advance(hours{23});
            CHECK(f.upkeep().empty());
            CHECK(f.folder.read("ca/tickets.key") == keys);

            f.clock.advance(hours{1});
            CHECK(f.upkeep().empty());
            CHECK(f.folder.read("ca/tickets.key") != keys);
            const auto second = f.connect(version, first.get());
            CHECK(second->resumed());
            CHECK(second->ticket_key_name() != first->ticket_key_name());

            f.start();  // the keys are those of the file
            CHECK(f.connect(version, second.get())->resumed());

            f.clock.advance(hours{24});
            f.upkeep();
            CHECK_FALSE(f.connect(version, first.get())->resumed());  // two keys ago: in full
        }
    }

    TEST_CASE("the web certificate renews itself before its end, under its key") {
        Fixture f;
        const certs::Certificate web = f.tls->web_certificate();
        const certs::Certificate mqtt = f.tls->mqtt_certificate();
        f.clock.advance(hours{24 * 260});
        f.upkeep();
        CHECK(f.tls->web_certificate() == web);
        f.clock.advance(hours{24 * 10});
        CHECK(f.upkeep().empty());
        CHECK(f.tls->web_certificate() != web);
        CHECK(f.tls->web_certificate().public_key() == web.public_key());
        CHECK(f.tls->web_certificate().not_after() > web.not_after());
        CHECK(f.folder.read("ca/web.crt") == f.tls->web_certificate().pem());
        CHECK(f.tls->mqtt_certificate() == mqtt);
    }

    TEST_CASE("a new address gets into the certificate, is told, and drops nobody") {
        Fixture f;
        net::TlsClient old(f.server.connect(), f.options(TLS1_3_VERSION));
        REQUIRE(f.server.finish(old));
        const auto told = f.upkeep({{"iotsky.local"}, {"10.20.0.5", "10.20.0.9"}});
        REQUIRE(told.size() == 1);
        CHECK(told[0].number == "W1105");
        CHECK(told[0].message.starts_with("10.20.0.9 was not in"));
        CHECK(f.tls->names().addresses.size() == 2);

        auto options = f.options(TLS1_3_VERSION);
        options.server_name = "10.20.0.9";  // each address is a dNSName as well
        options.check_name = true;
        net::TlsClient fresh(f.server.connect(), options);
        REQUIRE(f.server.until(fresh, [&] { return f.server.sink.conns.size() == 2; }));
        old.write("still here");
        CHECK(f.server.until(old, [&] { return old.got == "still here"; }));
        CHECK(f.upkeep({{"iotsky.local"}, {"10.20.0.5", "10.20.0.9"}}).empty());
    }

    TEST_CASE("a renewal that fails leaves the old certificate, and is tried again") {
        Fixture f;
        const std::string key = f.folder.read("ca/server-ca.key");
        REQUIRE(f.ca.authority->delete_root_key(certs::CaRole::server).has_value());
        const certs::Certificate web = f.tls->web_certificate();
        f.clock.advance(hours{24 * 300});
        CHECK(f.upkeep().empty());
        CHECK(f.tls->web_certificate() == web);
        f.folder.write("ca/server-ca.key", key);
        std::filesystem::permissions(
            f.folder.path() / "ca/server-ca.key",
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        f.upkeep();
        CHECK(f.tls->web_certificate() != web);
    }
}
