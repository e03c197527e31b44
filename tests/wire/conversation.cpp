#include "tests/wire/conversation.hpp"

#include <algorithm>
#include <map>
#include <memory>

#include "tests/support/mqtt_text.hpp"
#include "tests/wire/peer.hpp"

namespace iotsky::wire {
namespace {

using Kind = Peer::Received::Kind;

/// What is compared: without the Remaining Length, whose needless bytes are no difference.
struct Comparable {
    std::vector<std::byte> bytes;          ///< First byte and body.
    std::optional<std::size_t> id_offset;  ///< In these bytes.
};

Comparable comparable(const Packet& packet) {
    const mqtt::Frame frame = test::frame_of(packet.bytes);
    Comparable out{{packet.bytes[0]}, {}};
    out.bytes.insert(out.bytes.end(), frame.body.begin(), frame.body.end());
    if (packet.id_offset) {
        out.id_offset = *packet.id_offset + out.bytes.size() - packet.bytes.size();
    }
    return out;
}

std::string shown(mqtt::Bytes received) {
    const mqtt::Frame frame{std::to_integer<std::uint8_t>(received[0]), received.subspan(1), 0};
    for (const auto direction : {mqtt::Direction::from_server, mqtt::Direction::from_client}) {
        if (const auto decoded = mqtt::decode(frame, direction)) {
            return test::describe(*decoded);
        }
    }
    return "bytes " + test::hex(received);
}

std::string shown(const Peer::Received& received) {
    switch (received.kind) {
        case Kind::packet:
            return shown(received.packet);
        case Kind::closed:
            return "the connection was closed";
        case Kind::nothing:
            return "nothing came";
        default:
            return "bytes that are no packet";
    }
}

/// The clients of one conversation and what they know.
class Runner {
  public:
    explicit Runner(const RunOptions& options) : options_(options) {}

    /// Empty if the step went as written.
    std::string step(const Step& step) {
        switch (step.op) {
            case Op::send:
            case Op::send_bytewise:
                return send(step);
            case Op::expect:
            case Op::expect_any:
                return expect(step);
            case Op::expect_close:
                return expect_close(step.client);
            case Op::expect_open:
                return expect_open(step.client);
            case Op::close:
                peer(step.client).finish();
                break;
            case Op::reset:
                peer(step.client).reset_on_close();
                break;
        }
        peers_.erase(step.client);
        return {};
    }

    void finish() {
        for (auto& [name, open] : peers_) {
            open->send(test::from_hex("E000"));
            open->finish();
        }
    }

  private:
    /// Connects at first use, and again after a close.
    Peer& peer(const std::string& client) {
        auto& slot = peers_[client];
        if (!slot) {
            slot = std::make_unique<Peer>(options_.transport, options_.port, options_.patience);
        }
        return *slot;
    }

    std::string send(const Step& step) {
        std::vector<std::byte> bytes;
        for (const Packet& packet : step.packets) {
            std::vector<std::byte> copy = packet.bytes;
            if (packet.id_offset) {
                mqtt::store_u16(std::span(copy).subspan(*packet.id_offset, 2),
                                variables_.at(packet.id_variable));
            }
            bytes.insert(bytes.end(), copy.begin(), copy.end());
        }
        Peer& to = peer(step.client);
        step.op == Op::send ? to.send(bytes) : to.send_bytewise(bytes);
        return {};
    }

    std::string expect(const Step& step) {
        std::vector<const Packet*> missing;
        for (const Packet& packet : step.packets) {
            missing.push_back(&packet);
        }
        while (!missing.empty()) {
            const Peer::Received received = peer(step.client).receive();
            const auto last =
                step.op == Op::expect_any ? missing.end() : std::next(missing.begin());
            const auto found = std::find_if(missing.begin(), last, [&](const Packet* packet) {
                return received.kind == Kind::packet && fits(*packet, received.packet);
            });
            if (found == last) {
                return "expected " + missing.front()->word + ", got " + shown(received);
            }
            missing.erase(found);
        }
        return {};
    }

    bool fits(const Packet& packet, mqtt::Bytes received) {
        Comparable expected = comparable(packet);
        if (expected.bytes.size() != received.size()) {
            return false;
        }
        std::uint16_t id = 0;
        if (expected.id_offset) {
            id = mqtt::load_u16(received.subspan(*expected.id_offset, 2));
            mqtt::store_u16(std::span(expected.bytes).subspan(*expected.id_offset, 2), id);
        }
        if (!std::ranges::equal(expected.bytes, received)) {
            return false;
        }
        if (!expected.id_offset || packet.id_variable.empty()) {
            return true;
        }
        // The first packet with this name chooses the identifier, later ones must repeat it.
        return variables_.emplace(packet.id_variable, id).first->second == id;
    }

    std::string expect_close(const std::string& client) {
        const Peer::Received received = peer(client).receive();
        peers_.erase(client);
        return received.kind == Kind::closed ? "" : "expected the close, got " + shown(received);
    }

    std::string expect_open(const std::string& client) {
        peer(client).send(test::from_hex("C000"));
        const Peer::Received received = peer(client).receive();
        const bool pong = received.kind == Kind::packet && received.packet == test::from_hex("D0");
        return pong ? "" : "expected an answer to PINGREQ, got " + shown(received);
    }

    const RunOptions& options_;
    std::map<std::string, std::unique_ptr<Peer>> peers_;
    std::map<std::string, std::uint16_t> variables_;
};

}  // namespace

std::optional<std::string> run(const Conversation& conversation, const RunOptions& options) {
    Runner runner(options);
    for (const Step& step : conversation.steps) {
        if (const std::string fault = runner.step(step); !fault.empty()) {
            runner.finish();
            return "line " + std::to_string(step.line) + ", " + step.client + ": " + fault;
        }
    }
    runner.finish();
    return std::nullopt;
}

}  // namespace iotsky::wire
