#pragma once

#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "broker/net/handshake_doctor.hpp"
#include "broker/net/listener_shared.hpp"
#include "broker/net/tls_transport.hpp"
#include "tests/unit/net/loop.hpp"
#include "tests/unit/net/test_pki.hpp"
#include "tests/unit/net/tls_client.hpp"

namespace iotsky::net {

/// Keeps what it is told.
class RefusalLog final : public broker::RefusalSink {
  public:
    std::vector<broker::Refusal> told;
    void refused(const broker::Refusal& refusal) override { told.push_back(refusal); }
};

/// A TLS listener without a socket of its own: connections are socket pairs.
struct TlsServer : Loop {
    explicit TlsServer(const TlsOptions& tls_options = {},
                       const ListenerOptions& options = patient(),
                       const PollerOptions& poller_options = {})
        : Loop(poller_options),
          slot(std::make_shared<TlsSlot>(pki.context(tls_options))),
          doctor(std::make_shared<HandshakeDoctor>(&refusals)),
          shared(std::make_shared<ListenerShared>(options, slot, doctor)) {}

    /// A handshake deadline that no busy machine reaches.
    static ListenerOptions patient() {
        ListenerOptions options;
        options.handshake_timeout = std::chrono::seconds{60};
        return options;
    }
    UniqueFd connect() {
        auto [ours, theirs] = stream_pair();
        SocketTransport::Origin origin;
        origin.fd = std::move(ours);
        origin.peer.address = "10.20.3.41";
        origin.peer.local_address = "10.20.0.9";
        origin.peer.listener = "mqtts";
        origin.accepted_at = clock.now();
        origin.listener = shared;
        poller.add(shared->make_transport(std::move(origin)));
        return std::move(theirs);
    }
    /// A client with our device's certificate that trusts our server CA.
    TlsClient::Options device(int version = TLS1_3_VERSION) const {
        TlsClient::Options options;
        options.trust = &pki.server_ca;
        options.certificate = &pki.device;
        options.version = version;
        return options;
    }
    /// Turns and pumps until `done`.
    [[nodiscard]] bool until(TlsClient& client, const std::function<bool()>& done,
                             std::size_t chunk = SIZE_MAX) {
        return Loop::until([&] {
            client.pump(chunk);
            return done();
        });
    }
    [[nodiscard]] bool finish(TlsClient& client, std::size_t chunk = SIZE_MAX) {
        return until(
            client, [&] { return client.ready() && !sink.conns.empty(); }, chunk);
    }
    /// The number told for the next client made with `options`; empty if it got through.
    std::string told_for(const TlsClient::Options& options) {
        const std::size_t before = refusals.told.size();
        TlsClient client(connect(), options);
        static_cast<void>(until(client, [&] {
            return refusals.told.size() > before || !sink.conns.empty() ||
                   (client.failed && client.to_send.empty() && poller.quiet());
        }));
        static_cast<void>(until(client, [&] { return client.failed || client.ready(); }));
        for (int i = 0; i < 3; ++i) {
            client.pump();  // TLS 1.3: the alert comes after the client's own end
        }
        last_alert = client.alert;
        return refusals.told.size() > before ? refusals.told.back().number : std::string{};
    }

    /// Handshakes that ended without a connection.
    [[nodiscard]] std::uint64_t failed() const {
        const auto& by_fault = shared->handshakes.failed;
        return std::accumulate(by_fault.begin(), by_fault.end(), std::uint64_t{0});
    }
    /// Requests for a WebSocket that were refused or never ended.
    [[nodiscard]] std::uint64_t refused() const {
        const auto& by_fault = shared->websockets.failed;
        return std::accumulate(by_fault.begin(), by_fault.end(), std::uint64_t{0});
    }
    [[nodiscard]] std::uint64_t failed(HandshakeFault fault) const {
        return shared->handshakes.failed[static_cast<std::size_t>(fault)];
    }

    TestPki pki;
    RefusalLog refusals;
    std::shared_ptr<TlsSlot> slot;
    std::shared_ptr<HandshakeDoctor> doctor;
    std::shared_ptr<ListenerShared> shared;
    int last_alert = -1;
};

}  // namespace iotsky::net
