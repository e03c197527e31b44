#include "broker/net/data_plane.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "acl/policy.hpp"
#include "acl/rule_set.hpp"
#include "base/random.hpp"
#include "broker/broker.hpp"
#include "broker/memory_log.hpp"
#include "broker/mqtt/encode_client.hpp"
#include "tests/unit/net/test_pki.hpp"
#include "tests/unit/net/tls_client.hpp"
#include "tests/unit/net/tls_server.hpp"

using namespace iotsky;
using namespace iotsky::net;
using namespace std::chrono_literals;

namespace {

/// Lets everybody in as what the certificate is, with all rights; refuses the client id "refused".
class OpenDirectory final : public broker::IdentityDirectory {
  public:
    broker::Admission admit(const broker::PeerInfo& /*peer*/,
                            const mqtt::ConnectView& connect) override {
        if (connect.client_id == "refused") {
            return {mqtt::ConnectCode::not_authorized, nullptr, "E3304", "revoked", {}, false};
        }
        return recall("device");
    }
    broker::Admission refresh(const broker::Identity& identity) override {
        return recall(identity.scope);
    }
    broker::Admission recall(std::string_view /*scope*/) override {
        return {mqtt::ConnectCode::accepted, identity_, {}, {}, {}, false};
    }

  private:
    static std::shared_ptr<const broker::Identity> make() {
        const char* const all =
            R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})";
        auto identity = std::make_shared<broker::Identity>();
        identity->scope = identity->name = "device";
        identity->rules =
            acl::compile_anonymous(
                "device",
                {"test", "1", std::make_shared<const acl::Policy>(acl::parse_policy(all).value())})
                .value();
        return identity;
    }
    std::shared_ptr<const broker::Identity> identity_ = make();
};

/// A whole broker on two io threads behind TLS on a free port.
struct Node {
    explicit Node(unsigned threads)
        : log({}, {}),
          broker(patient(), threads, log, directory, refusals, random),
          plane(broker.shared(), {}, clock) {
        log.set_wakers(plane.wakers());
        ListenerOptions options = TlsServer::patient();
        options.bind = "127.0.0.1:0";
        Listener::Parts tls{std::make_shared<TlsSlot>(pki.context()),
                            std::make_shared<HandshakeDoctor>(&refusals),
                            {}};
        Listener listener = Listener::bind(options, threads, tls).value();
        port = listener.port();
        plane.start();
        plane.serve(std::move(listener));
    }
    /// Deadlines that no busy machine reaches: devices wait here until it is their turn.
    static broker::Options patient() {
        broker::Options options;
        options.limits.connect_timeout = 60s;
        return options;
    }
    ~Node() {
        plane.stop();
        log.set_wakers({});  // they end with the threads
    }

    TestPki pki;
    SystemClock clock;
    SystemRandom random;
    OpenDirectory directory;
    RefusalLog refusals;
    broker::MemoryLog log;
    broker::Broker broker;
    DataPlane plane;
    std::uint16_t port = 0;
};

/// An MQTT client over TLS whose packets are all shorter than 128 bytes.
struct Device {
    Device(Node& node, const std::string& client_id) : tls(connect_to(node.port), options(node)) {
        mqtt::ConnectView connect;
        connect.client_id = client_id;
        send([&](auto& out) { REQUIRE(mqtt::append_connect(out, connect)); });
    }
    static TlsClient::Options options(Node& node) {
        TlsClient::Options out;
        out.trust = &node.pki.server_ca;
        out.certificate = &node.pki.device;
        return out;
    }
    template <typename Append>
    void send(Append append) {
        std::vector<std::byte> bytes;
        append(bytes);
        pending.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    /// Pumps until `n` packets came (or the end), at most 5 s.
    void wait_for(std::size_t n) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (packets.size() < n && !tls.ended && std::chrono::steady_clock::now() < end) {
            if (tls.ready() && !pending.empty()) {
                tls.write(std::exchange(pending, {}));
            }
            tls.pump();
            parse();
            if (packets.size() < n) {
                ::pollfd wait{tls.fd().get(), POLLIN, 0};
                ::poll(&wait, 1, 1);
            }
        }
    }
    void parse() {
        while (tls.got.size() >= 2) {
            const std::size_t length = 2 + std::size_t{static_cast<unsigned char>(tls.got[1])};
            if (tls.got.size() < length) {
                break;
            }
            packets.push_back(tls.got.substr(0, length));
            tls.got.erase(0, length);
        }
    }
    TlsClient tls;
    std::string pending;
    std::vector<std::string> packets;
};

}  // namespace

TEST_SUITE("net.data_plane") {
    TEST_CASE(
        "devices on two threads meet: connected, moved home, subscribed, delivered in order") {
        Node node(2);
        std::vector<std::unique_ptr<Device>> devices;
        for (int i = 0; i < 8; ++i) {
            devices.push_back(std::make_unique<Device>(node, "client-" + std::to_string(i)));
            devices.back()->send([](auto& out) {
                const mqtt::SubscribeRequest all{"t/#", mqtt::Qos::at_least_once};
                REQUIRE(mqtt::append_subscribe(out, 1, {&all, 1}));
            });
        }
        for (auto& device : devices) {
            device->wait_for(2);
            REQUIRE(device->packets.size() == 2);
            CHECK(device->packets[0] == std::string("\x20\x02\x00\x00", 4));
            CHECK(device->packets[1] == std::string("\x90\x03\x00\x01\x01", 5));
            device->packets.clear();
        }
        constexpr int kMessages = 100;
        for (int i = 0; i < kMessages; ++i) {
            devices[0]->send([i](auto& out) {
                const std::string text = std::to_string(i);
                mqtt::PublishView publish;
                publish.topic = "t/x";
                publish.payload = std::as_bytes(std::span{text});
                REQUIRE(mqtt::append_publish(out, publish));
            });
        }
        for (auto& device : devices) {
            if (device != devices[0]) {
                devices[0]->wait_for(1);
            }
            device->wait_for(kMessages);
            REQUIRE(device->packets.size() == kMessages);
            for (int i = 0; i < kMessages; ++i) {
                CHECK(device->packets[static_cast<std::size_t>(i)].substr(2) ==
                      std::string("\0\3t/x", 5) + std::to_string(i));
            }
        }
        const auto listeners = node.plane.listeners();
        REQUIRE(listeners.size() == 1);
        CHECK(listeners[0].handshakes_full + listeners[0].handshakes_resumed == 8);
    }

    TEST_CASE("start returns when every thread has loaded its sessions") {
        for (int i = 0; i < 20; ++i) {
            Node node(4);
            CHECK(node.broker.shared().recovering.load() == 0);
        }
    }

    TEST_CASE("a refused CONNECT reads its CONNACK 5 although it sent more behind it") {
        Node node(2);
        for (int i = 0; i < 5; ++i) {
            Device device(node, "refused");
            for (int k = 0; k < 20; ++k) {
                device.send([](auto& out) { mqtt::append_pingreq(out); });
            }
            device.wait_for(2);
            REQUIRE(device.packets.size() == 1);
            CHECK(device.packets[0] == std::string("\x20\x02\x00\x05", 4));
            CHECK(device.tls.ended);
            CHECK(device.tls.goodbye);
        }
    }

    TEST_CASE("take-over closes the older connection, wherever each landed") {
        Node node(2);
        auto old = std::make_unique<Device>(node, "same");
        old->wait_for(1);
        REQUIRE(old->packets.size() == 1);
        for (int i = 0; i < 10; ++i) {
            auto fresh = std::make_unique<Device>(node, "same");
            fresh->wait_for(1);
            REQUIRE(fresh->packets.size() == 1);
            old->wait_for(2);
            CHECK(old->tls.ended);
            old = std::move(fresh);
        }
    }

    TEST_CASE("stop says goodbye to everybody and ends in time") {
        Node node(2);
        std::vector<std::unique_ptr<Device>> devices;
        for (int i = 0; i < 6; ++i) {
            devices.push_back(std::make_unique<Device>(node, "client-" + std::to_string(i)));
            devices.back()->wait_for(1);
            REQUIRE(devices.back()->packets.size() == 1);
        }
        const auto begin = std::chrono::steady_clock::now();
        node.plane.stop(300ms);
        CHECK(std::chrono::steady_clock::now() - begin < 10s);
        for (auto& device : devices) {
            device->wait_for(2);
            CHECK(device->tls.ended);
            CHECK(device->tls.goodbye);
        }
    }
}
