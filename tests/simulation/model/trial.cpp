#include "tests/simulation/model/trial.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/bytes.hpp"
#include "broker/mqtt/encode_client.hpp"

namespace iotsky::simulation {
namespace {

using mqtt::PacketType;
using Bytes = std::vector<std::byte>;

constexpr unsigned kThreads = 3;
constexpr unsigned kWindow = 3;
constexpr unsigned kExpiryS = 100;
constexpr std::array<const char*, 4> kTopics{"t", "t/0", "t/1", "u/0/1"};
constexpr std::array<const char*, 7> kFilters{"t", "t/0", "t/+", "t/#", "#", "+/0", "w/+"};
constexpr std::size_t kLargePayload = 5'000;  // shared between threads, not copied
constexpr std::uint16_t kSubscribeId = 21;
constexpr std::uint16_t kUnsubscribeId = 22;

broker::Options options_of(const Setting& setting) {
    broker::Options options;
    options.limits.inflight_max = kWindow;
    options.limits.session_expiry = std::chrono::seconds{kExpiryS};
    if (setting.small_memory) {
        options.limits.queue_memory_bytes_max = 200;
    }
    return options;
}

Bytes ack(PacketType type, std::uint16_t id) {
    Bytes out;
    mqtt::append_ack(out, type, id);
    return out;
}

}  // namespace

Trial::Trial(const Setting& setting)
    : world_(setting.seed, kThreads, setting.log, options_of(setting)),
      reference_({kWindow, !setting.small_memory, kExpiryS}, setting.broken) {
    world_.reconnect = false;
    for (const char* name : {"a", "b", "c", "d"}) {
        clients_.emplace_back(world_, name);
    }
}

std::string Trial::play(const Script& script) {
    for (std::size_t i = 0; i < script.size(); ++i) {
        std::string fault;
        try {
            fault = act(script[i]);
        } catch (const std::exception& error) {
            fault = error.what();
        }
        if (!fault.empty()) {
            return "after action " + std::to_string(i + 1) + " (" + script[i].text() + ")\n" +
                   fault;
        }
    }
    return "";
}

std::string Trial::settled() {
    if (!world_.settle()) {
        return "the broker does not come to rest";
    }
    for (const auto& wire : std::exchange(ended_, {})) {
        if (!wire->broker_closed) {
            return "a connection is open that should be closed";
        }
    }
    for (Puppet& client : clients_) {
        if (client.connected() != reference_.connected(client.name())) {
            return client.name() + (client.connected() ? " is connected" : " was closed");
        }
        const std::string fault = reference_.compare(client.name(), client.take());
        if (!fault.empty()) {
            return fault;
        }
    }
    return "";
}

std::string Trial::act(const Action& action) {
    Puppet& client = clients_[action.client];
    switch (action.kind) {
        case Action::Kind::connect:
            connect(client, action);
            break;
        case Action::Kind::advance: {
            const unsigned seconds = action.n[0] % 3 == 0 ? 3 * kExpiryS : kExpiryS * 2 / 5;
            if (reference_.can_advance(seconds)) {
                world_.advance(std::chrono::seconds{seconds});
                reference_.advance(seconds);
            }
            break;
        }
        case Action::Kind::crash:
            crash(action.n[0] % 2 == 0);
            break;
        default:
            if (!client.connected()) {
                return "";
            }
            act_connected(client, action);
    }
    return settled();
}

void Trial::act_connected(Puppet& client, const Action& action) {
    const std::string& name = client.name();
    Bytes out;
    switch (action.kind) {
        case Action::Kind::disconnect:
            mqtt::append_disconnect(out);
            client.send(out);
            ended_.push_back(client.wire());
            client.leave();
            reference_.disconnect(name);
            break;
        case Action::Kind::drop:
            lose(client);
            break;
        case Action::Kind::violate:
            client.send({std::byte{0xf0}, std::byte{0}});
            ended_.push_back(client.wire());
            client.leave();
            reference_.lose(name);
            break;
        case Action::Kind::subscribe: {
            const mqtt::SubscribeRequest request{
                kFilters[action.n[0] % kFilters.size()],
                mqtt::Qos{static_cast<std::uint8_t>(action.n[1] % 3)}};
            mqtt::append_subscribe(out, kSubscribeId, std::span{&request, 1}).value();
            client.send(out);
            reference_.subscribe(name, std::string{request.filter},
                                 static_cast<std::uint8_t>(request.qos), kSubscribeId);
            break;
        }
        case Action::Kind::unsubscribe: {
            const std::string_view filter = kFilters[action.n[0] % kFilters.size()];
            mqtt::append_unsubscribe(out, kUnsubscribeId, std::span{&filter, 1}).value();
            client.send(out);
            reference_.unsubscribe(name, std::string{filter}, kUnsubscribeId);
            break;
        }
        case Action::Kind::publish:
            publish(client, action);
            break;
        case Action::Kind::release: {
            const auto id = static_cast<std::uint16_t>(1 + action.n[0] % 3);
            client.send(ack(PacketType::pubrel, id));
            reference_.release(name, id);
            break;
        }
        case Action::Kind::acknowledge: {
            const std::vector<Packet> owes = reference_.owes(name);
            if (!owes.empty()) {
                const Packet& answer = owes[action.n[0] % owes.size()];
                client.send(ack(answer.type, answer.id));
                reference_.acknowledge(name, answer);
            }
            break;
        }
        default:
            interrupted(client, action);
    }
}

void Trial::connect(Puppet& client, const Action& action) {
    const bool clean = action.n[0] % 3 == 0;
    std::optional<Reference::Message> will;
    if (const unsigned kind = action.n[1] % 4; kind != 0) {
        will = {"w/" + client.name(), kind == 3 ? "" : "will " + unique(),
                static_cast<std::uint8_t>(kind - 1), kind != 1, "will of " + client.name()};
    }
    std::optional<mqtt::WillView> view;
    if (will) {
        view = {will->topic, as_bytes(will->payload), mqtt::Qos{will->qos}, will->retain};
    }
    if (client.connected()) {
        ended_.push_back(client.wire());
    }
    client.connect(clean, view);
    reference_.connect(client.name(), clean, std::move(will));
}

void Trial::send_publish(Puppet& client, const Reference::Message& message, std::uint16_t id,
                         bool dup) {
    mqtt::PublishView view;
    view.dup = dup;
    view.qos = mqtt::Qos{message.qos};
    view.retain = message.retain;
    view.topic = message.topic;
    view.packet_id = message.qos == 0 ? std::uint16_t{0} : id;
    view.payload = as_bytes(message.payload);
    Bytes out;
    mqtt::append_publish(out, view).value();
    client.send(out);
}

void Trial::publish(Puppet& client, const Action& action) {
    Reference::Message message;
    message.topic = kTopics[action.n[0] % kTopics.size()];
    message.qos = static_cast<std::uint8_t>(action.n[1] % 3);
    message.retain = action.n[2] % 4 == 0;
    message.from = client.name();
    if (!message.retain || action.n[2] % 3 != 0) {
        message.payload = unique() + (action.n[3] % 7 == 0 ? std::string(kLargePayload, '.') : "");
    }
    // Few identifiers of QoS 2, so that they meet; repetitions are not told apart by DUP.
    const auto id = static_cast<std::uint16_t>((message.qos == 2 ? 1U : 11U) + action.n[3] % 3);
    send_publish(client, message, id, false);
    reference_.publish(client.name(), message, id);
}

void Trial::lose(Puppet& client) {
    client.drop();
    reference_.lose(client.name());
}

void Trial::crash(bool applied) {
    world_.crash(applied);
    for (Puppet& client : clients_) {
        client.leave();
    }
    reference_.crash();
}

// Nobody else is connected, and the client does not hear itself: what became of the message is then
// sure once the client went on where it was, with PUBREL if PUBREC had come and else with PUBLISH.
// It is in the queues of all who want it, once.
void Trial::interrupted(Puppet& client, const Action& action) {
    Reference::Message message{kTopics[action.n[0] % kTopics.size()], unique(), 2, false,
                               client.name()};
    const auto id = static_cast<std::uint16_t>(4 + action.n[1] % 3);
    if (!reference_.persistent(client.name()) ||
        reference_.subscribed(client.name(), message.topic)) {
        return;
    }
    for (Puppet& other : clients_) {
        if (other.connected() && &other != &client) {
            lose(other);
            if (const std::string fault = settled(); !fault.empty()) {
                throw std::runtime_error(fault);
            }
        }
    }
    send_publish(client, message, id, false);
    const unsigned log_every = action.n[2] % 2 == 0 ? 4 : 16;  // a disk that is slow or quick
    for (unsigned step = action.n[2] % 31; step > 0; --step) {
        if (world_.random().below(log_every) == 0) {
            (void)world_.log().step();
        } else {
            world_.turn(static_cast<unsigned>(world_.random().below(kThreads)));
        }
    }
    const std::vector<Packet> came = client.take();
    const bool seen = action.n[3] % 4 < 2;  // or lost on the way
    const bool taken = seen && std::any_of(came.begin(), came.end(), [&](const Packet& packet) {
                           return packet.type == PacketType::pubrec && packet.id == id;
                       });
    if (taken) {
        reference_.publish(client.name(), message, id);
    }
    crash(action.n[3] % 2 == 0);
    if (!world_.settle()) {
        throw std::runtime_error("the broker does not come to rest after its restart");
    }
    client.connect(false, std::nullopt);
    reference_.connect(client.name(), false, std::nullopt);
    if (!taken) {
        send_publish(client, message, id, true);
        reference_.publish(client.name(), message, id);
    }
    client.send(ack(PacketType::pubrel, id));
    reference_.release(client.name(), id);
}

Script shrink(const Setting& setting, Script script) {
    for (std::size_t part = script.size() / 2; part > 0; part /= 2) {
        for (std::size_t at = 0; at < script.size();) {
            Script shorter = script;
            const auto begin = shorter.begin() + static_cast<std::ptrdiff_t>(at);
            const std::size_t n = std::min(part, script.size() - at);
            shorter.erase(begin, begin + static_cast<std::ptrdiff_t>(n));
            if (!Trial(setting).play(shorter).empty()) {
                script = std::move(shorter);
            } else {
                at += part;
            }
        }
    }
    return script;
}

}  // namespace iotsky::simulation
