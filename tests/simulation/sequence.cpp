#include "tests/simulation/sequence.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "base/bytes.hpp"
#include "broker/mqtt/decode.hpp"
#include "broker/mqtt/encode_client.hpp"
#include "broker/mqtt/framer.hpp"
#include "tests/simulation/world.hpp"
#include "tests/support/mqtt_text.hpp"

namespace iotsky::simulation {
namespace {

using mqtt::PacketType;
using Bytes = std::vector<std::byte>;
using State = broker::StoredMessage::State;

constexpr std::size_t kInputMax = 4096;
constexpr std::size_t kConnections = 6;
constexpr std::array<const char*, 3> kTopics{"a", "a/b", "c"};
constexpr std::array<const char*, 4> kFilters{"a", "a/#", "+/b", "#"};
constexpr std::size_t kSizes[] = {0, 3, 300, 5000};

broker::Options tight() {
    broker::Options options;
    options.limits.inflight_max = 2;
    options.limits.queue_messages_max = 8;
    options.limits.queue_bytes_max = 8U << 10U;
    options.limits.queue_memory_bytes_max = 1U << 10U;
    options.limits.out_soft_bytes = 1U << 10U;
    options.limits.out_hard_bytes = 8U << 10U;
    options.limits.out_ack_reserve_bytes = 1U << 10U;
    options.limits.gate_packets_max = 8;
    options.limits.packet_bytes_max = 8U << 10U;
    options.limits.pre_connect_bytes_max = 1U << 10U;
    options.limits.filters_max = 3;
    options.limits.turn_packets_max = 4;
    return options;
}

/// The input, a byte at a time; zeros behind its end.
class Source {
  public:
    explicit Source(std::span<const std::uint8_t> bytes)
        : bytes_(bytes.first(std::min(bytes.size(), kInputMax))) {}
    [[nodiscard]] bool empty() const { return at_ >= bytes_.size(); }
    std::uint8_t next() { return empty() ? std::uint8_t{0} : bytes_[at_++]; }
    unsigned below(unsigned bound) { return next() % bound; }

  private:
    std::span<const std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

/// One connection: what its client has said, and what must be true of what it hears.
class Link {
  public:
    explicit Link(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}

    [[nodiscard]] Wire& wire() { return *wire_; }
    /// Bytes that are no whole packets: what the client has asked for is unknown from now on.
    void send_anything(const Bytes& bytes) {
        exact_ = false;
        put(bytes);
    }
    void send(Source& in);
    /// Reads what came; empty, or what is wrong with it.
    std::string listen(const Tables& disk);

  private:
    void put(const Bytes& bytes) {
        wire_->to_broker.insert(wire_->to_broker.end(), bytes.begin(), bytes.end());
    }
    void connect(Source& in, Bytes& out);
    void subscribe(Source& in, Bytes& out);
    void publish(Source& in, Bytes& out);
    void answer(Source& in, Bytes& out, PacketType type);
    std::string on_packet(const mqtt::PacketView& packet, const Tables& disk);
    std::string on_publish(const mqtt::PublishView& p, const Tables& disk);
    std::string on_answer(PacketType type, std::uint16_t id, const Tables& disk);
    /// Whether the disk must know what this connection is told.
    [[nodiscard]] bool promised() const { return exact_ && persistent_; }

    struct Sent {
        std::string topic;
        Bytes payload;
    };
    std::shared_ptr<Wire> wire_;
    mqtt::Framer framer_{mqtt::kRemainingLengthMax};
    bool exact_ = true;  ///< whole packets alone, CONNECT first and once, no DISCONNECT
    bool asked_ = false;
    bool open_ = false;
    bool persistent_ = false;
    bool level_31_ = false;  ///< what is refused has a positive answer
    std::string scope_;
    std::string client_id_;
    std::uint16_t next_subscribe_id_ = 100;
    std::uint16_t last_id_ = 1;  ///< that the broker gave
    std::map<PacketType, std::deque<std::uint16_t>> questions_;
    std::map<std::uint16_t, std::string> filters_;  ///< of SUBSCRIBEs that are not answered
    std::set<std::string> once_;                    ///< filters that were asked for once
    std::set<std::string> more_;
    std::map<std::uint16_t, Sent> on_its_way_;  ///< to the client, not answered with the last word
    std::set<std::uint16_t> received_;          ///< PUBREC went out
    std::set<std::uint16_t> answered_;          ///< answered in any way, also before they came
};

void Link::connect(Source& in, Bytes& out) {
    const unsigned kind = in.next();
    mqtt::ConnectView connect;
    scope_ = (kind & 1U) != 0 ? "u" : "v";
    client_id_ = (kind & 2U) != 0 ? "x" : "y";
    connect.user_name = scope_;
    connect.client_id = client_id_;
    connect.clean_session = (kind & 12U) == 0;
    connect.protocol_level = (kind & 48U) == 48U ? mqtt::kLevel31 : mqtt::kLevel311;
    if ((kind & 64U) != 0) {
        connect.will = mqtt::WillView{"a", as_bytes("w"), mqtt::Qos{std::uint8_t((kind >> 2U) % 3)},
                                      (kind & 128U) != 0};
    }
    level_31_ = connect.protocol_level == mqtt::kLevel31;
    exact_ = exact_ && !asked_;
    asked_ = true;
    persistent_ = !connect.clean_session;
    mqtt::append_connect(out, connect).value();
}

void Link::subscribe(Source& in, Bytes& out) {
    const std::string_view filter = kFilters[in.below(kFilters.size())];
    const mqtt::SubscribeRequest request{filter, mqtt::Qos{std::uint8_t(in.below(3))}};
    const std::uint16_t id = next_subscribe_id_++;
    const std::string key{filter};
    (once_.insert(key).second ? once_ : more_).insert(key);
    filters_[id] = key;
    questions_[PacketType::suback].push_back(id);
    mqtt::append_subscribe(out, id, std::span{&request, 1}).value();
}

void Link::publish(Source& in, Bytes& out) {
    const unsigned kind = in.next();
    const Bytes payload(kSizes[(kind >> 4U) % 4], std::byte(in.next()));
    mqtt::PublishView p;
    p.topic = kTopics[kind % 3];
    p.qos = mqtt::Qos{std::uint8_t((kind >> 2U) % 3)};
    p.retain = (kind & 64U) != 0;
    p.payload = payload;
    if (p.qos != mqtt::Qos::at_most_once) {
        p.packet_id = static_cast<std::uint16_t>(1 + in.below(4));
        p.dup = (kind & 128U) != 0;
        questions_[p.qos == mqtt::Qos::at_least_once ? PacketType::puback : PacketType::pubrec]
            .push_back(p.packet_id);
    }
    mqtt::append_publish(out, p).value();
}

void Link::answer(Source& in, Bytes& out, PacketType type) {
    const unsigned which = in.next();
    const auto id = which < 128 ? last_id_ : static_cast<std::uint16_t>(1 + which % 8);
    if (type == PacketType::pubrel) {
        questions_[PacketType::pubcomp].push_back(id);
    } else if (type == PacketType::pubrec) {
        if (on_its_way_.count(id) != 0 && answered_.count(id) == 0) {
            received_.insert(id);
        }
        answered_.insert(id);
    } else {
        answered_.insert(id);
        on_its_way_.erase(id);
    }
    mqtt::append_ack(out, type, id);
}

void Link::send(Source& in) {
    Bytes out;
    switch (in.below(12)) {
        case 0:
            connect(in, out);
            break;
        case 1:
            subscribe(in, out);
            break;
        case 2: {
            const std::string_view filter = kFilters[in.below(kFilters.size())];
            more_.insert(std::string{filter});
            questions_[PacketType::unsuback].push_back(7);
            mqtt::append_unsubscribe(out, 7, std::span{&filter, 1}).value();
            break;
        }
        case 3:
        case 4:
        case 5:
            publish(in, out);
            break;
        case 6:
            answer(in, out, PacketType::puback);
            break;
        case 7:
            answer(in, out, PacketType::pubrec);
            break;
        case 8:
            answer(in, out, PacketType::pubrel);
            break;
        case 9:
            answer(in, out, PacketType::pubcomp);
            break;
        case 10:
            questions_[PacketType::pingresp].push_back(0);
            mqtt::append_pingreq(out);
            break;
        default:
            exact_ = false;
            mqtt::append_disconnect(out);
    }
    exact_ = exact_ && asked_;
    put(out);
}

std::string Link::listen(const Tables& disk) {
    const auto came = std::exchange(wire_->to_client, {});
    const Bytes bytes(came.begin(), came.end());
    mqtt::Bytes in{bytes};
    for (;;) {
        const mqtt::FrameResult found = framer_.next(in);
        if (found.kind == mqtt::FrameResult::Kind::error) {
            return "no packet came";
        }
        if (found.kind == mqtt::FrameResult::Kind::need_more) {
            return "";
        }
        const auto packet = mqtt::decode(found.frame, mqtt::Direction::from_server);
        if (!packet) {
            return "a " + std::string{mqtt::to_string(found.frame.type())} + ": " +
                   std::string{mqtt::text(packet.error())};
        }
        std::string fault = on_packet(*packet, disk);
        if (!fault.empty()) {
            return fault + ": " + test::describe(*packet);
        }
    }
}

std::string Link::on_packet(const mqtt::PacketView& packet, const Tables& disk) {
    if (const auto* connack = std::get_if<mqtt::ConnackView>(&packet)) {
        const bool accepted = connack->code == mqtt::ConnectCode::accepted;
        if (std::exchange(open_, true) || !asked_) {
            return exact_ ? "a CONNACK that nobody asked for" : "";
        }
        return accepted && promised() && !disk.has_session(scope_, client_id_)
                   ? "before the session was on disk"
                   : "";
    }
    if (!open_) {
        return "before CONNACK";
    }
    return std::visit(
        test::Overloaded{
            [&](const mqtt::PublishView& p) { return on_publish(p, disk); },
            [&]<PacketType type>(const mqtt::AckView<type>& p) {
                return on_answer(type, p.packet_id, disk);
            },
            [&](const mqtt::SubackView& p) {
                if (p.codes[0] == mqtt::kSubackFailure || level_31_) {
                    more_.insert(filters_[p.packet_id]);  // refused: the disk has not heard of it
                }
                return on_answer(PacketType::suback, p.packet_id, disk);
            },
            [&](const mqtt::PingrespView&) { return on_answer(PacketType::pingresp, 0, disk); },
            [&](const auto&) { return std::string{"a client's packet"}; },
        },
        packet);
}

std::string Link::on_publish(const mqtt::PublishView& p, const Tables& disk) {
    if (p.qos == mqtt::Qos::at_most_once) {
        return "";
    }
    last_id_ = p.packet_id;
    Sent sent{std::string{p.topic}, {p.payload.begin(), p.payload.end()}};
    const auto [known, is_new] = on_its_way_.try_emplace(p.packet_id, std::move(sent));
    if (!is_new && exact_ && answered_.count(p.packet_id) == 0) {
        return "its identifier names another message that is on its way";
    }
    if (p.qos == mqtt::Qos::exactly_once && promised() && answered_.count(p.packet_id) == 0 &&
        !disk.has_in_flight(scope_, client_id_, p.packet_id)) {
        return "before its identifier was on disk";
    }
    return "";
}

std::string Link::on_answer(PacketType type, std::uint16_t id, const Tables& disk) {
    if (type == PacketType::pubrel) {
        const bool sure = promised() && received_.count(id) != 0 && on_its_way_.count(id) != 0;
        return sure && !disk.has_released(scope_, client_id_, id) ? "before PUBREC was on disk"
                                                                  : "";
    }
    auto& open = questions_[type];
    if (!exact_) {
        return "";
    }
    if (open.empty() || open.front() != id) {
        return "an answer that nobody waits for, or not now";
    }
    open.pop_front();
    if (!promised()) {
        return "";
    }
    const auto& released = questions_[PacketType::pubcomp];
    const bool release_waits = std::find(released.begin(), released.end(), id) != released.end();
    if (type == PacketType::pubrec && !release_waits && !disk.has_inbound(scope_, client_id_, id)) {
        return "before the message was on disk";
    }
    const auto& again = questions_[PacketType::pubrec];
    const bool comes_again = std::find(again.begin(), again.end(), id) != again.end();
    if (type == PacketType::pubcomp && !comes_again && !release_waits &&
        disk.has_inbound(scope_, client_id_, id)) {
        return "before the release was on disk";
    }
    if (type == PacketType::suback) {
        const std::string& filter = filters_[id];
        if (more_.count(filter) == 0 && !disk.has_subscription(scope_, client_id_, filter)) {
            return "before the subscription was on disk";
        }
    }
    return "";
}

class Sequence {
  public:
    Sequence(Source in, LogFault fault)
        : in_(in),
          threads_(1 + in_.below(3)),
          disk_(in_.below(4) != 0),
          world_(1, threads_, log_options(disk_, fault), tight()) {
        world_.reconnect = false;
    }

    std::string play() {
        while (fault_.empty() && !in_.empty()) {
            step();
        }
        return fault_.empty() ? finish() : fault_;
    }

  private:
    static LogOptions log_options(bool disk, LogFault fault) {
        LogOptions options{fault};
        options.keeps_queues = disk;
        return options;
    }

    void look() {
        for (auto& link : links_) {
            if (link && fault_.empty()) {
                fault_ = link->listen(world_.log().tables());
            }
        }
        const auto total = [&](auto counter) { return world_.broker().total(counter); };
        const broker::Limits limits = tight().limits;
        const auto sessions = static_cast<std::size_t>(total(&broker::ShardStats::sessions));
        const auto messages = static_cast<std::size_t>(total(&broker::ShardStats::queued_messages));
        // A crash may leave rows of messages that had no room: they were on their way to be
        // dropped.
        if (fault_.empty() && world_.crashes() == 0 &&
            messages > sessions * limits.queue_messages_max) {
            fault_ =
                std::to_string(messages) + " messages in " + std::to_string(sessions) + " queues";
        }
        // And the last message that was queued, for all who want it.
        const std::size_t most =
            sessions * 2 * limits.queue_bytes_max + 2 * limits.packet_bytes_max;
        if (fault_.empty() && world_.queue_memory() > most) {
            fault_ = std::to_string(world_.queue_memory()) + " bytes in " +
                     std::to_string(sessions) + " queues";
        }
    }

    void turn(unsigned thread) {
        world_.turn(thread);
        look();
    }

    std::optional<Link>& link() { return links_[in_.below(kConnections)]; }

    void open() {
        std::optional<Link>& link = this->link();
        if (link) {
            link->wire().client_closed = true;
        }
        link.emplace(world_.open_raw("sim", in_.below(threads_)));
    }

    void send_bytes() {
        Bytes bytes(in_.below(16));
        std::generate(bytes.begin(), bytes.end(), [&] { return std::byte(in_.next()); });
        if (std::optional<Link>& link = this->link()) {
            link->send_anything(bytes);
        }
    }

    /// Turns a bit of what has not been read yet.
    void damage() {
        const unsigned at = in_.next();
        const unsigned bit = in_.below(8);
        if (std::optional<Link>& link = this->link(); link && !link->wire().to_broker.empty()) {
            auto& bytes = link->wire().to_broker;
            bytes[at % bytes.size()] ^= std::byte(1U << bit);
            link->send_anything({});
        }
    }

    void crash() {
        world_.crash(in_.below(2) == 0);
        for (auto& link : links_) {
            link.reset();
        }
    }

    void step() {
        switch (in_.below(16)) {
            case 0:
                open();
                break;
            case 1:
                send_bytes();
                break;
            case 2:
                damage();
                break;
            case 3:
                if (std::optional<Link>& link = this->link()) {
                    link->wire().client_closed = true;
                    link.reset();
                }
                break;
            case 4:
                if (std::optional<Link>& link = this->link()) {
                    link->wire().takes_nothing = !link->wire().takes_nothing;
                    link->send_anything({});  // what is heard late may not be true any more
                }
                break;
            case 5:
                world_.log().fail_commit();
                break;
            case 6:
                world_.advance(std::chrono::milliseconds{1U << in_.below(16)});
                break;
            case 7:
                // In mode memory nothing is left of a broker that died: a new one has no past.
                in_.below(8) == 0 && disk_ ? crash()
                                           : static_cast<void>(world_.log().step_reader());
                break;
            case 8:
            case 9:
                (void)world_.log().step();
                break;
            case 10:
            case 11:
            case 12:
                turn(in_.below(threads_));
                break;
            default:
                if (std::optional<Link>& link = this->link()) {
                    link->send(in_);
                }
        }
    }

    std::string finish() {
        for (auto& link : links_) {
            if (link) {
                link->send_anything({});  // what comes now is not looked at turn by turn
                link->wire().takes_nothing = false;
                link->wire().client_closed = true;
            }
        }
        if (!world_.settle()) {
            return "the broker does not come to rest";
        }
        look();
        if (fault_.empty() && world_.broker().total(&broker::ShardStats::connections) != 0) {
            return "a connection is left";
        }
        for (unsigned thread = 0; thread < threads_ && fault_.empty(); ++thread) {
            if (!world_.would_sleep(thread)) {
                return "an idle thread spins";
            }
        }
        return fault_;
    }

    Source in_;
    unsigned threads_;
    bool disk_;  ///< or mode memory
    World world_;
    std::array<std::optional<Link>, kConnections> links_;
    std::string fault_;
};

}  // namespace

std::string play_sequence(std::span<const std::uint8_t> input, LogFault fault) {
    return Sequence(Source(input), fault).play();
}

}  // namespace iotsky::simulation
