#include "tests/simulation/model/reference.hpp"

#include <algorithm>

#include "tests/support/topic_twin.hpp"

namespace iotsky::simulation {
namespace {

using mqtt::PacketType;

Packet answer(PacketType type, std::uint16_t id) {
    Packet packet;
    packet.type = type;
    packet.id = id;
    return packet;
}

Packet publish_of(const Reference::Message& message, std::uint16_t id) {
    return {PacketType::publish, id, message.topic, message.payload, message.qos, message.retain};
}

std::string list(const std::vector<Packet>& packets) {
    std::string out;
    for (const Packet& packet : packets) {
        out += "\n    " + packet.text();
    }
    return out.empty() ? " nothing" : out;
}

std::string differ(const char* what, const std::vector<Packet>& want,
                   const std::vector<Packet>& got) {
    return want == got ? ""
                       : std::string{what} + ": expected" + list(want) + "\n  came" + list(got);
}

std::vector<Packet> sorted(std::vector<Packet> packets) {
    std::sort(packets.begin(), packets.end(),
              [](const Packet& a, const Packet& b) { return a.text() < b.text(); });
    return packets;
}

}  // namespace

void Reference::connect(const std::string& client, bool clean, std::optional<Message> will) {
    if (connected(client)) {
        leave(client, !broken(BrokenRule::will_of_drop));  // the newer connection takes over
    }
    if (clean && !broken(BrokenRule::clean_forgets)) {
        sessions_.erase(client);
    }
    const bool present = sessions_.count(client) != 0;
    Session& session = sessions_[client];
    session.clean = clean;
    session.connected = true;
    session.away_s = session.away_s_max = 0;
    session.will = std::move(will);
    if (broken(BrokenRule::inbound_is_session)) {
        session.inbound.clear();
    }
    Packet connack = answer(PacketType::connack, 0);
    connack.present = present;
    session.answers.push_back(connack);
    for (Lane& lane : session.lanes) {
        for (const InFlight& sent : lane.in_flight) {
            Packet again = sent.packet;
            again.dup = !broken(BrokenRule::dup_of_resent);
            lane.heard.push_back(sent.released && !broken(BrokenRule::released_stays)
                                     ? answer(PacketType::pubrel, sent.packet.id)
                                     : again);
        }
    }
}

void Reference::fire_will(const std::string& client) {
    if (const auto will = std::exchange(sessions_.at(client).will, std::nullopt)) {
        spread(*will);
    }
}

void Reference::leave(const std::string& client, bool with_will) {
    Session& session = sessions_.at(client);
    session.connected = false;
    session.answers.clear();
    session.qos0.clear();
    for (Lane& lane : session.lanes) {
        lane.heard.clear();
    }
    if (with_will) {
        fire_will(client);
    }
    session.will.reset();
    if (session.clean) {
        sessions_.erase(client);
    }
}

void Reference::disconnect(const std::string& client) {
    leave(client, broken(BrokenRule::no_will_of_disconnect));
}

void Reference::lose(const std::string& client) {
    leave(client, !broken(BrokenRule::will_of_drop));
}

void Reference::subscribe(const std::string& client, const std::string& filter, std::uint8_t qos,
                          std::uint16_t id) {
    Session& session = sessions_.at(client);
    session.subscriptions[filter] = qos;
    Packet suback = answer(PacketType::suback, id);
    suback.code = qos;
    session.answers.push_back(suback);
    for (const auto& [topic, message] : retained_) {
        if (test::slow_matches(filter, topic) && !broken(BrokenRule::replay)) {
            Message replay = message;
            replay.retain = true;
            replay.from.clear();
            deliver(session, replay, std::min(qos, message.qos));
        }
    }
}

void Reference::unsubscribe(const std::string& client, const std::string& filter,
                            std::uint16_t id) {
    Session& session = sessions_.at(client);
    session.subscriptions.erase(filter);
    session.answers.push_back(answer(PacketType::unsuback, id));
}

void Reference::deliver(Session& session, Message message, std::uint8_t qos) {
    message.qos = qos;
    if (qos > 0) {
        session.lanes[qos].queue.push_back(message);
    } else if (session.connected || broken(BrokenRule::qos0_is_lost)) {
        session.qos0.push_back(publish_of(message, 0));
    }
}

void Reference::keep(const Message& message) {
    if (!message.payload.empty()) {
        retained_[message.topic] = message;
    } else if (!broken(BrokenRule::empty_clears)) {
        retained_.erase(message.topic);
    }
}

void Reference::spread(const Message& message) {
    if (message.retain) {
        keep(message);
    }
    Message live = message;
    live.retain = message.retain && broken(BrokenRule::retain_is_for_new);
    for (auto& [client, session] : sessions_) {
        std::vector<std::uint8_t> granted;
        for (const auto& [filter, qos] : session.subscriptions) {
            if (test::slow_matches(filter, message.topic)) {
                granted.push_back(qos);
            }
        }
        if (!granted.empty()) {
            const auto [lowest, highest] = std::minmax_element(granted.begin(), granted.end());
            const auto qos = broken(BrokenRule::highest_qos) ? *lowest : *highest;
            deliver(session, live, std::min(qos, message.qos));
        }
    }
}

void Reference::publish(const std::string& client, const Message& message, std::uint16_t id) {
    Session& session = sessions_.at(client);
    if (message.qos == 1) {
        session.answers.push_back(answer(PacketType::puback, id));
    } else if (message.qos == 2) {
        session.answers.push_back(answer(PacketType::pubrec, id));
        if (!session.inbound.insert(id).second) {
            return;
        }
    }
    spread(message);
}

void Reference::release(const std::string& client, std::uint16_t id) {
    Session& session = sessions_.at(client);
    session.inbound.erase(id);
    session.answers.push_back(answer(PacketType::pubcomp, id));
}

void Reference::acknowledge(const std::string& client, const Packet& answer_sent) {
    Lane& lane = sessions_.at(client).lanes[answer_sent.type == PacketType::puback ? 1 : 2];
    const auto sent =
        std::find_if(lane.in_flight.begin(), lane.in_flight.end(),
                     [&](const InFlight& s) { return s.packet.id == answer_sent.id; });
    if (answer_sent.type == PacketType::pubrec) {
        sent->released = true;
        lane.heard.push_back(answer(PacketType::pubrel, answer_sent.id));
    } else {
        lane.in_flight.erase(sent);
    }
}

void Reference::advance(unsigned seconds) {
    for (auto& [client, session] : sessions_) {
        if (!session.connected) {
            session.away_s += seconds;
            session.away_s_max += seconds;
        }
    }
    std::erase_if(sessions_, [&](const auto& entry) {
        return entry.second.away_s >= limits_.expiry_s && !broken(BrokenRule::expiry);
    });
}

bool Reference::can_advance(unsigned seconds) const {
    return std::all_of(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
        const Session& session = entry.second;
        return session.connected || session.away_s + seconds >= limits_.expiry_s ||
               session.away_s_max + seconds < limits_.expiry_s;
    });
}

void Reference::crash() {
    std::erase_if(sessions_, [](const auto& entry) { return entry.second.clean; });
    std::vector<std::string> wills;
    for (auto& [client, session] : sessions_) {
        session.connected = false;
        session.away_s = 0;
        session.answers.clear();
        session.qos0.clear();
        for (Lane& lane : session.lanes) {
            lane.heard.clear();
            if (broken(BrokenRule::queue_survives)) {
                lane.queue.clear();
            }
        }
        wills.push_back(client);
    }
    std::for_each(wills.begin(), wills.end(), [&](const auto& client) { fire_will(client); });
}

std::string Reference::compare(const std::string& client, const std::vector<Packet>& got) {
    if (!connected(client)) {
        return "";  // whatever came before it left
    }
    Session& session = sessions_.at(client);
    std::vector<Packet> answers;
    std::array<std::vector<Packet>, 3> by_qos;
    for (const Packet& packet : got) {
        if (packet.type == PacketType::publish) {
            by_qos[packet.qos].push_back(packet);
        } else if (packet.type == PacketType::pubrel) {
            by_qos[2].push_back(packet);
        } else {
            answers.push_back(packet);
        }
    }
    const bool late_connack = !answers.empty() && answers[0].type == PacketType::connack &&
                              got[0].type != PacketType::connack;
    std::string fault = late_connack ? "something came before CONNACK" : "";
    const auto add = [&](const std::string& more) { fault += (more.empty() ? "" : "\n  ") + more; };
    add(differ("answers", std::exchange(session.answers, {}), answers));
    add(differ("QoS 0", sorted(std::exchange(session.qos0, {})), sorted(by_qos[0])));
    add(compare_lane(session, 1, by_qos[1]));
    add(compare_lane(session, 2, by_qos[2]));
    const auto& [none, lane1, lane2] = session.lanes;
    const bool waits = !lane1.queue.empty() || !lane2.queue.empty();
    if (waits && lane1.in_flight.empty() && lane2.in_flight.empty()) {
        add("messages wait, and nothing comes");
    }
    return fault.empty() ? "" : client + ": " + fault;
}

std::string Reference::compare_lane(Session& session, std::uint8_t qos,
                                    const std::vector<Packet>& got) const {
    Lane& lane = session.lanes[qos];
    const std::vector<Packet> again = std::exchange(lane.heard, {});
    const std::size_t room =
        limits_.window - std::min<std::size_t>(limits_.window, lane.in_flight.size());
    const std::size_t most = again.size() + std::min(room, lane.queue.size());
    const std::size_t least = limits_.uses_window ? most : again.size();
    const std::string name = "QoS " + std::to_string(qos);
    if (got.size() < least || got.size() > most) {
        return name + ": expected" + list(again) + "\n    and " +
               std::to_string(most - again.size()) + " new ones\n  came" + list(got);
    }
    const auto first_new = got.begin() + static_cast<std::ptrdiff_t>(again.size());
    std::string fault = differ((name + " again").c_str(), again, {got.begin(), first_new});
    for (auto packet = first_new; packet != got.end() && fault.empty(); ++packet) {
        fault = take_new(session, lane, *packet);
    }
    return fault;
}

std::string Reference::take_new(Session& session, Lane& lane, const Packet& got) const {
    for (const Lane& each : session.lanes) {
        for (const InFlight& sent : each.in_flight) {
            if (sent.packet.id == got.id || got.id == 0) {
                return "identifier in use: " + got.text();
            }
        }
    }
    std::set<std::string> earlier;
    for (auto waiting = lane.queue.begin(); waiting != lane.queue.end(); ++waiting) {
        const bool its_turn =
            waiting->from.empty() || earlier.insert(waiting->from + " " + waiting->topic).second;
        if (its_turn && publish_of(*waiting, got.id) == got) {
            lane.queue.erase(waiting);
            lane.in_flight.push_back({got});
            return "";
        }
    }
    return "not expected, or not now: " + got.text();
}

bool Reference::connected(const std::string& client) const {
    const auto found = sessions_.find(client);
    return found != sessions_.end() && found->second.connected;
}

bool Reference::persistent(const std::string& client) const {
    const auto found = sessions_.find(client);
    return found != sessions_.end() && !found->second.clean;
}

bool Reference::subscribed(const std::string& client, const std::string& topic) const {
    const auto found = sessions_.find(client);
    return found != sessions_.end() &&
           std::any_of(found->second.subscriptions.begin(), found->second.subscriptions.end(),
                       [&](const auto& s) { return test::slow_matches(s.first, topic); });
}

std::vector<Packet> Reference::owes(const std::string& client) const {
    std::vector<Packet> answers;
    const auto found = sessions_.find(client);
    if (found == sessions_.end()) {
        return answers;
    }
    for (const Lane& lane : found->second.lanes) {
        for (const InFlight& sent : lane.in_flight) {
            answers.push_back(answer(sent.packet.qos == 1 ? PacketType::puback
                                     : sent.released      ? PacketType::pubcomp
                                                          : PacketType::pubrec,
                                     sent.packet.id));
        }
    }
    return answers;
}

}  // namespace iotsky::simulation
