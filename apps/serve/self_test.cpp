#include "apps/serve/self_test.hpp"

#include <algorithm>
#include <chrono>

#include "acl/policy.hpp"
#include "acl/rule_set.hpp"
#include "apps/client/mqtt_client.hpp"
#include "apps/serve/server_tls.hpp"
#include "broker/broker.hpp"
#include "broker/memory_log.hpp"
#include "broker/net/data_plane.hpp"
#include "broker/net/handshake_doctor.hpp"
#include "certs/local_addresses.hpp"
#include "certs/sign.hpp"

namespace iotsky::apps {
namespace {

using namespace std::chrono_literals;

constexpr const char* kAllowAll =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})";
constexpr auto kPatience = 10s;
constexpr std::size_t kPayloadBytes = 4'096;  // eight records of 512 bytes
const WallTime kJustBooted = from_unix_s(30);

/// Knows the one identity of the self-test.
class TestDirectory final : public broker::IdentityDirectory, public broker::CertificateDirectory {
  public:
    explicit TestDirectory(const certs::Certificate& known)
        : der_(known.der().begin(), known.der().end()) {}

    Result<void> start() {
        IOTSKY_TRY(policy, acl::parse_policy(kAllowAll));
        IOTSKY_TRY(rules,
                   acl::compile_anonymous(
                       "self-test",
                       {"self-test", "1", std::make_shared<const acl::Policy>(std::move(policy))}));
        auto identity = std::make_shared<broker::Identity>();
        identity->scope = identity->name = "self-test";
        identity->rules = std::move(rules);
        identity_ = std::move(identity);
        return {};
    }

    broker::Admission admit(const broker::PeerInfo& /*peer*/,
                            const mqtt::ConnectView& /*connect*/) override {
        return recall({});
    }
    broker::Admission refresh(const broker::Identity& /*identity*/) override { return recall({}); }
    broker::Admission recall(std::string_view /*scope*/) override {
        broker::Admission admission;
        admission.code = mqtt::ConnectCode::accepted;
        admission.identity = identity_;
        return admission;
    }
    Standing standing(std::string_view der) override {
        return der == der_ ? Standing::active : Standing::unknown;
    }

  private:
    const std::string der_;
    std::shared_ptr<const broker::Identity> identity_;
};

class NoSink final : public broker::RefusalSink {
  public:
    void refused(const broker::Refusal& /*refusal*/) override {}
};

/// A certificate and its key for a minute, signed by itself: no serial of ours is used up.
struct TestIdentity {
    certs::PrivateKey key;
    certs::Certificate certificate;

    static Result<TestIdentity> make(WallTime now, Random& random) {
        IOTSKY_TRY(key, certs::PrivateKey::generate(certs::KeyType::p256));
        certs::CertificateTemplate wish;
        wish.common_name = "self-test";
        wish.serial = certs::new_serial(random);
        wish.not_before = now - certs::kClockSlack;
        wish.not_after = now + 1h;
        wish.key_usage = {"digitalSignature"};
        wish.extended_key_usage = "clientAuth";
        wish.key = key.public_key();
        IOTSKY_TRY(certificate, certs::sign(wish, nullptr, key));
        return TestIdentity{std::move(key), std::move(certificate)};
    }
};

/// A broker with one thread, behind the installation's certificate.
class Station {
  public:
    Station(TestDirectory& directory, const Clock& clock, Random& random)
        : broker_({}, 1, log_, directory, sink_, random), plane_(broker_.shared(), {}, clock) {
        log_.set_wakers(plane_.wakers());
    }
    ~Station() {
        plane_.stop(200ms);
        log_.set_wakers({});  // they end with the thread
    }
    Station(const Station&) = delete;
    Station& operator=(const Station&) = delete;

    Result<std::uint16_t> serve(ServerTls& tls, std::uint16_t port) {
        IOTSKY_TRY(slot, tls.slot_for(Listener{}));
        net::ListenerOptions options;
        options.bind = "[::]:" + std::to_string(port);
        IOTSKY_TRY(listener,
                   net::Listener::bind(
                       options, 1, {slot, std::make_shared<net::HandshakeDoctor>(nullptr), {}}));
        const std::uint16_t bound = listener.port();
        plane_.start();
        plane_.serve(std::move(listener));
        return bound;
    }

  private:
    NoSink sink_;
    broker::MemoryLog log_{{}, {}};
    broker::Broker broker_;
    net::DataPlane plane_;
};

/// An address of the certificate that this machine has now; else loopback.
std::string address_to_try(const certs::ServerNames& names) {
    const auto local = certs::local_addresses();
    for (const std::string& address : usable_addresses(names.addresses)) {
        const bool here = local && std::any_of(local->begin(), local->end(), [&](const auto& own) {
                              return own.text == address;
                          });
        if (here) {
            return address;
        }
    }
    return "127.0.0.1";
}

/// Connects, subscribes, publishes, receives. @return the time from publish to receive.
Result<std::chrono::nanoseconds> exchange(const MqttOptions& options) {
    IOTSKY_TRY(client, MqttClient::connect(options));
    const MqttMessage sent{"self-test", std::string(kPayloadBytes, 'x'), mqtt::Qos::at_least_once,
                           false};
    IOTSKY_TRY(granted, client.subscribe(sent.topic, mqtt::Qos::at_most_once));
    const auto begin = std::chrono::steady_clock::now();
    IOTSKY_CHECK(client.publish(sent));
    IOTSKY_TRY(received, client.next(kPatience));
    const auto took = std::chrono::steady_clock::now() - begin;
    client.disconnect();
    if (!granted || !received || received->payload != sent.payload) {
        return make_error(Errc::internal, "E1109", "The message did not come back.",
                          "The broker answered, but not with what was sent.",
                          "Start it and look at its log: iotsky serve --log-level debug");
    }
    return took;
}

std::string in_ms(std::chrono::nanoseconds time) {
    return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(time).count()) + " ms";
}

}  // namespace

Result<std::vector<SelfTestRow>> self_test(const SelfTestInput& input, const Clock& clock,
                                           Random& random) {
    IOTSKY_TRY(identity, TestIdentity::make(clock.wall_now(), random));
    TestDirectory directory{identity.certificate};
    IOTSKY_CHECK(directory.start());
    IOTSKY_TRY(tls, ServerTls::make(input.ca.authority, input.ca.servers.clone(), directory,
                                    input.names, input.data_folder, clock, random));
    Station station{directory, clock, random};
    IOTSKY_TRY(port, station.serve(*tls, input.port));

    const SecretString key = identity.key.pem();
    MqttOptions usual;
    usual.host = address_to_try(input.names);
    usual.port = port;
    usual.timeout = kPatience;
    usual.tls = TlsClientOptions{};
    usual.tls->ca_file = input.data_folder / "server-ca.crt";
    usual.tls->certificate_pem = identity.certificate.pem();
    usual.tls->key_pem = key.view();
    usual.tls->server_name =
        usual.host == "127.0.0.1" && !input.names.dns.empty() ? input.names.dns.front() : "";

    std::vector<SelfTestRow> rows;
    const auto row = [&](std::string what, const auto& change) {
        MqttOptions options = usual;
        change(*options.tls);
        auto took = exchange(options);
        rows.push_back({std::move(what),
                        took ? std::string{} : took.error().message + " " + took.error().why});
        return took;
    };
    row("TLS 1.3", [](TlsClientOptions& o) { o.versions = TlsVersions::only_1_3; });
    row("TLS 1.2", [](TlsClientOptions& o) { o.versions = TlsVersions::only_1_2; });
    row("ESP8266 profile (512-byte records)", [](TlsClientOptions& o) {
        o.versions = TlsVersions::only_1_2;
        o.short_records = true;
    });
    row("clock-less profile", [](TlsClientOptions& o) { o.clock = kJustBooted; });
    const auto took = row("", [](TlsClientOptions&) {});
    rows.back().what = "publish -> subscribe through " + format_endpoint({usual.host, port}) +
                       (took ? " in " + in_ms(*took) : std::string{});
    return rows;
}

}  // namespace iotsky::apps
