#include "bench/load/traffic.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "bench/load/process_usage.hpp"

namespace iotsky::load {
namespace {

constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
constexpr std::uint64_t kSecond = 1'000'000'000U;
constexpr std::uint64_t kPatience = 30 * kSecond;
constexpr std::uint64_t kDrain = 5 * kSecond;
constexpr std::size_t kOutBytesMax = 256UL * 1024;  // of a publisher whose socket is full
constexpr std::uint64_t kTick = kSecond / 100;

struct Stamp {
    std::uint64_t publisher;
    std::uint64_t number;
    std::uint64_t time_ns;
};

std::uint64_t nanoseconds(double seconds) {
    return static_cast<std::uint64_t>(seconds * 1e9);
}

/// The payload of a PUBLISH and its Packet Identifier (0 at QoS 0).
std::pair<std::span<const std::uint8_t>, std::uint16_t> open_publish(const Packet& packet) {
    std::size_t at = 2U + number_at(packet.body, 0);
    const unsigned qos = packet.flags >> 1U & 3U;
    const std::uint16_t id = qos > 0 ? number_at(packet.body, at) : std::uint16_t{0};
    at += qos > 0 ? 2 : 0;
    if (packet.body.size() < at + sizeof(Stamp)) {
        throw std::runtime_error("a foreign message arrived: choose another --topic");
    }
    return {packet.body.subspan(at), id};
}

}  // namespace

Traffic::Traffic(const Options& options)
    : options_(options), tls_(options), payload_(options.payload_bytes, 'x') {}

std::size_t Traffic::connect(const std::string& name) {
    const std::size_t index =
        loop_.add(std::make_unique<Connection>(options_, tls_.context(loop_.size()), nullptr));
    put_connect(loop_.at(index).out(), name, options_.persistent);
    subscriber_of_.push_back(kNobody);
    return index;
}

void Traffic::await(const std::size_t& counter, std::size_t wanted, const char* what) {
    const std::uint64_t end = now_ns() + kPatience;
    while (counter < wanted) {
        loop_.turn(kTick, [this](std::size_t i, const Packet& packet) { on_packet(i, packet); });
        if (now_ns() > end) {
            throw std::runtime_error(std::string{what} + " did not come in 30 s");
        }
    }
}

void Traffic::make_clients() {
    const std::size_t count = options_.clients;
    const std::size_t publishers = options_.scenario == Scenario::fanout ? 1 : count;
    const std::size_t subscribers = options_.scenario == Scenario::fanin ? 1 : count;
    fan_ = options_.scenario == Scenario::fanout ? count : 1;
    for (std::size_t i = 0; i < subscribers; ++i) {
        subscribers_.push_back(
            {connect("sub-" + std::to_string(i)), std::vector<std::uint64_t>(publishers)});
        subscriber_of_.back() = i;
    }
    for (std::size_t i = 0; i < publishers; ++i) {
        publishers_.push_back({connect("pub-" + std::to_string(i)),
                               options_.topic + "/" + std::to_string(i),
                               0,
                               0,
                               0,
                               0,
                               {}});
    }
    await(connacks_, loop_.size(), "CONNACK");
    for (std::size_t i = 0; i < subscribers; ++i) {
        const std::string filter = options_.scenario == Scenario::pairs
                                       ? options_.topic + "/" + std::to_string(i)
                                       : options_.topic + "/+";
        put_subscribe(loop_.at(subscribers_[i].connection).out(), 1, filter, options_.qos);
        loop_.flush_later(subscribers_[i].connection);
    }
    await(subacks_, subscribers, "SUBACK");
}

void Traffic::on_packet(std::size_t connection, const Packet& packet) {
    Bytes& out = loop_.at(connection).out();
    switch (packet.kind) {
        case Kind::publish:
            on_publish(connection, packet);
            break;
        case Kind::pubrec:
            put_ack(out, Kind::pubrel, number_at(packet.body, 0));
            break;
        case Kind::pubrel:
            put_ack(out, Kind::pubcomp, number_at(packet.body, 0));
            break;
        case Kind::connack:
            if (packet.body.size() != 2 || packet.body[1] != 0) {
                throw std::runtime_error("the broker refused a CONNECT");
            }
            ++connacks_;
            break;
        case Kind::suback:
            if (packet.body.size() != 3 || packet.body[2] > 2) {
                throw std::runtime_error("the broker refused a subscription");
            }
            ++subacks_;
            break;
        case Kind::puback:
        case Kind::pubcomp:
            on_acknowledged(connection);
            break;
        default:
            break;
    }
}

/// Acknowledgements of one publisher come in the order of its messages [MQTT-4.6.0-2].
void Traffic::on_acknowledged(std::size_t connection) {
    Publisher& publisher = publishers_.at(connection - publishers_.front().connection);
    if (publisher.unacknowledged.empty()) {
        throw std::runtime_error("the broker acknowledged a message twice");
    }
    if (phase_ == Phase::measured) {
        report_.acknowledgement.add(now_ns() - publisher.unacknowledged.front());
    }
    publisher.unacknowledged.pop_front();
}

void Traffic::on_publish(std::size_t connection, const Packet& packet) {
    const auto [payload, id] = open_publish(packet);
    if (id != 0) {
        const bool exactly_once = (packet.flags >> 1U & 3U) == 2;
        put_ack(loop_.at(connection).out(), exactly_once ? Kind::pubrec : Kind::puback, id);
    }
    deliver(subscribers_.at(subscriber_of_[connection]), payload);
}

void Traffic::deliver(Subscriber& subscriber, std::span<const std::uint8_t> payload) {
    Stamp stamp{};
    std::memcpy(&stamp, payload.data(), sizeof stamp);
    std::uint64_t& next = subscriber.next.at(stamp.publisher);
    if (stamp.number < next) {
        ++report_.out_of_order;  // or twice, which is as wrong at QoS 0 and 2
    } else {
        next = stamp.number + 1;
    }
    Publisher& publisher = publishers_[stamp.publisher];
    ++publisher.delivered;
    if (phase_ == Phase::measured) {
        ++report_.done;
        report_.latency.add(now_ns() - stamp.time_ns);
    }
}

void Traffic::send(Publisher& publisher, std::uint64_t stamp_ns) {
    const Stamp stamp{static_cast<std::uint64_t>(&publisher - publishers_.data()), publisher.sent,
                      stamp_ns};
    std::memcpy(payload_.data(), &stamp, sizeof stamp);
    publisher.packet_id = static_cast<std::uint16_t>(publisher.packet_id % 65'535U + 1U);
    put_publish(loop_.at(publisher.connection).out(), publisher.topic, options_.qos,
                publisher.packet_id, payload_);
    ++publisher.sent;
    if (options_.qos > 0) {
        publisher.unacknowledged.push_back(stamp_ns);
    }
    loop_.flush_later(publisher.connection);
}

void Traffic::fill_windows() {
    for (Publisher& publisher : publishers_) {
        while (publisher.sent * fan_ < publisher.delivered + options_.window * fan_ &&
               publisher.unacknowledged.size() < options_.window &&
               loop_.at(publisher.connection).waiting() < kOutBytesMax) {
            send(publisher, now_ns());
        }
    }
}

std::uint64_t Traffic::send_what_is_due(std::uint64_t now) {
    const std::uint64_t interval =
        nanoseconds(static_cast<double>(publishers_.size()) / options_.rate);
    std::uint64_t next = now + kTick;
    for (std::size_t i = 0; i < publishers_.size(); ++i) {
        Publisher& publisher = publishers_[i];
        if (publisher.due_ns == 0) {  // spread over one interval
            publisher.due_ns = now + interval * i / publishers_.size();
        }
        while (publisher.due_ns <= now) {
            send(publisher, publisher.due_ns);
            publisher.due_ns += interval;
        }
        next = std::min(next, publisher.due_ns);
    }
    return next - now;
}

void Traffic::pump(std::uint64_t until) {
    for (std::uint64_t now = now_ns(); now < until; now = now_ns()) {
        std::uint64_t wait = std::min(kTick, until - now);
        if (options_.rate > 0) {
            wait = std::min(wait, send_what_is_due(now));
        } else {
            fill_windows();
        }
        loop_.turn(wait, [this](std::size_t i, const Packet& packet) { on_packet(i, packet); });
    }
}

bool Traffic::all_arrived() const {
    return std::all_of(publishers_.begin(), publishers_.end(), [this](const Publisher& publisher) {
        return publisher.delivered >= publisher.sent * fan_ && publisher.unacknowledged.empty();
    });
}

void Traffic::drain() {
    phase_ = Phase::drain;
    for (const std::uint64_t end = now_ns() + kDrain; !all_arrived() && now_ns() < end;) {
        loop_.turn(kTick, [this](std::size_t i, const Packet& packet) { on_packet(i, packet); });
    }
    for (const Publisher& publisher : publishers_) {
        report_.lost +=
            publisher.sent * fan_ - std::min(publisher.delivered, publisher.sent * fan_);
        report_.unacknowledged += publisher.unacknowledged.size();
    }
}

Report Traffic::run() {
    make_clients();
    pump(now_ns() + nanoseconds(options_.warmup_s));
    const ProcessUsage before = usage_of(options_.pid);
    const ProcessUsage own_before = usage_of(own_pid());
    const std::uint64_t began = now_ns();
    phase_ = Phase::measured;
    pump(began + nanoseconds(options_.seconds));
    report_.seconds = static_cast<double>(now_ns() - began) / 1e9;
    const ProcessUsage after = usage_of(options_.pid);
    report_.broker_cpu_us = after.cpu_us - before.cpu_us;
    report_.own_cpu_us = usage_of(own_pid()).cpu_us - own_before.cpu_us;
    report_.rss_bytes = after.rss_bytes;
    drain();
    return std::move(report_);
}

Report run_traffic(const Options& options) {
    return Traffic{options}.run();
}

}  // namespace iotsky::load
