#include "tests/wire/open_broker.hpp"

#include <utility>
#include <vector>

#include "acl/policy.hpp"
#include "acl/rule_set.hpp"
#include "base/random.hpp"
#include "broker/broker.hpp"
#include "broker/memory_log.hpp"
#include "broker/net/io_thread.hpp"
#include "broker/net/shard_sink.hpp"
#include "tests/wire/self_signed.hpp"

namespace iotsky::wire {
namespace {

constexpr unsigned kThreads = 2;
constexpr const char* kAllowAll =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})";

/// Everybody is the one anonymous identity.
class Everybody final : public broker::IdentityDirectory {
  public:
    Everybody() {
        auto identity = std::make_shared<broker::Identity>();
        identity->scope = "anonymous";
        identity->name = "anonymous";
        const acl::NamedPolicy policy{
            "allow", "1",
            std::make_shared<const acl::Policy>(acl::parse_policy(kAllowAll).value())};
        identity->rules = acl::compile_anonymous("plain", policy).value();
        admission_.code = mqtt::ConnectCode::accepted;
        admission_.identity = std::move(identity);
    }
    broker::Admission admit(const broker::PeerInfo&, const mqtt::ConnectView&) override {
        return admission_;
    }
    broker::Admission refresh(const broker::Identity&) override { return admission_; }
    broker::Admission recall(std::string_view) override { return admission_; }

  private:
    broker::Admission admission_;
};

class Untold final : public broker::RefusalSink {
  public:
    void refused(const broker::Refusal&) override {}
};

net::Protocol protocol_of(Transport transport) {
    switch (transport) {
        case Transport::tcp:
            break;
        case Transport::tls:
            return net::Protocol::mqtts;
        case Transport::ws:
            return net::Protocol::ws;
        case Transport::wss:
            return net::Protocol::wss;
    }
    return net::Protocol::mqtt;
}

net::ListenerOptions listener_options(Transport transport) {
    net::ListenerOptions options;
    options.name = "plain";
    options.protocol = protocol_of(transport);
    options.bind = "127.0.0.1:0";
    options.failures_per_minute_max = 0;  // most of the tables' connections are refused
    return options;
}

}  // namespace

struct OpenBroker::Parts {
    SystemClock clock;
    SystemRandom random;
    Everybody everybody;
    Untold untold;
    broker::MemoryLog log{{}, {}};
    broker::Broker broker{{}, kThreads, log, everybody, untold, random};
    net::IoThreads io{kThreads, {}, clock};
    std::vector<std::unique_ptr<broker::Shard>> shards;
    std::uint16_t port = 0;
};

OpenBroker::OpenBroker(Transport transport) : parts_(std::make_unique<Parts>()) {
    Parts& parts = *parts_;
    net::Listener::Parts of_net;
    if (net::has_tls(protocol_of(transport))) {
        of_net.slot = self_signed();
    }
    net::Listener listener =
        net::Listener::bind(listener_options(transport), kThreads, of_net).value();
    parts.port = listener.port();
    std::vector<broker::Waker*> wakers;
    std::vector<std::unique_ptr<net::PollerSink>> sinks;
    for (unsigned i = 0; i < kThreads; ++i) {
        broker::Waker& waker = parts.io.waker(i);
        wakers.push_back(&waker);
        parts.broker.shared().mailboxes[i]->set_waker(&waker, &parts.io.sleeper(i));
        parts.broker.shared().lanes[i]->set_waker(&waker, &parts.io.sleeper(i));
        parts.shards.push_back(
            std::make_unique<broker::Shard>(static_cast<broker::ThreadId>(i), parts.broker.shared(),
                                            parts.io.host(i), parts.clock.now()));
        sinks.push_back(net::make_shard_sink(*parts.shards.back()));
    }
    parts.log.set_wakers(std::move(wakers));
    parts.io.start(std::move(sinks));
    parts.io.serve(std::move(listener));
}

OpenBroker::~OpenBroker() {
    parts_->io.stop();
    parts_->log.set_wakers({});  // they go before the log does
}

std::uint16_t OpenBroker::port() const noexcept {
    return parts_->port;
}

}  // namespace iotsky::wire
