// Connections as fast as they come: plain, with TLS, with a certificate, or resumed; and what they
// weigh when idle.
#include <stdexcept>

#include "bench/load/loop.hpp"
#include "bench/load/process_usage.hpp"
#include "bench/load/report.hpp"

namespace iotsky::load {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000U;
constexpr std::uint64_t kTick = kSecond / 100;
constexpr std::uint64_t kPatience = 60 * kSecond;

/// All connections of one run. One thread.
class Connects {
  public:
    explicit Connects(const Options& options) : options_(options), tls_(options) {}

    Report run();

  private:
    void begin(const std::string& name);
    void on_packet(std::size_t index, const Packet& packet);
    void turn_until(std::size_t connacks);
    void fetch_session();
    void hold(const ProcessUsage& before);

    const Options& options_;
    Tls tls_;
    SessionPtr session_;
    Loop loop_;
    std::vector<std::uint64_t> began_ns_;
    std::size_t connacks_ = 0;
    Report report_;
};

void Connects::begin(const std::string& name) {
    const std::size_t number = loop_.size();
    began_ns_.push_back(now_ns());
    const std::size_t index = loop_.add(std::make_unique<Connection>(
        options_, tls_.context(options_.resume ? 0 : number), session_.get()));
    put_connect(loop_.at(index).out(), name, options_.persistent);
}

void Connects::on_packet(std::size_t index, const Packet& packet) {
    if (packet.kind != Kind::connack || packet.body.size() != 2 || packet.body[1] != 0) {
        throw std::runtime_error("the broker refused a CONNECT");
    }
    ++connacks_;
    report_.latency.add(now_ns() - began_ns_[index]);
    SSL* ssl = loop_.at(index).ssl();
    if (ssl != nullptr && SSL_session_reused(ssl) == 1) {
        ++report_.resumed;
    }
}

void Connects::turn_until(std::size_t connacks) {
    for (const std::uint64_t end = now_ns() + kPatience; connacks_ < connacks;) {
        loop_.turn(kTick, [this](std::size_t i, const Packet& packet) { on_packet(i, packet); });
        if (now_ns() > end) {
            throw std::runtime_error("CONNACK did not come in 60 s");
        }
    }
}

/// TLS 1.3 hands tickets out with the first bytes after the handshake; CONNACK comes behind them.
void Connects::fetch_session() {
    begin("first");
    turn_until(1);
    session_.reset(SSL_get1_session(loop_.at(0).ssl()));
    report_ = {};
}

void Connects::hold(const ProcessUsage& before) {
    const std::uint64_t end = now_ns() + static_cast<std::uint64_t>(options_.hold_s * 1e9);
    while (now_ns() < end) {
        loop_.turn(kTick, [](std::size_t, const Packet&) {});
    }
    report_.rss_bytes = usage_of(options_.pid).rss_bytes;
    const double growth =
        static_cast<double>(report_.rss_bytes) - static_cast<double>(before.rss_bytes);
    report_.idle_bytes_per_client = growth / static_cast<double>(options_.clients);
}

Report Connects::run() {
    if (options_.resume) {
        fetch_session();
    }
    const std::size_t first = connacks_;
    const ProcessUsage before = usage_of(options_.pid);
    const ProcessUsage own_before = usage_of(own_pid());
    const std::uint64_t began = now_ns();
    for (std::size_t i = 0; i < options_.clients; ++i) {
        begin("connect-" + std::to_string(i));
        if (i + 1 >= options_.window) {
            turn_until(first + i + 2 - options_.window);
        }
    }
    turn_until(first + options_.clients);
    report_.done = options_.clients;
    report_.seconds = static_cast<double>(now_ns() - began) / 1e9;
    report_.broker_cpu_us = usage_of(options_.pid).cpu_us - before.cpu_us;
    report_.own_cpu_us = usage_of(own_pid()).cpu_us - own_before.cpu_us;
    hold(before);
    return std::move(report_);
}

}  // namespace

Report run_connect(const Options& options) {
    return Connects{options}.run();
}

}  // namespace iotsky::load
