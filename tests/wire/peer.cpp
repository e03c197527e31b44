#include "tests/wire/peer.hpp"

namespace iotsky::wire {

Peer::Peer(Transport transport, std::uint16_t port, std::chrono::milliseconds patience)
    : channel_(connect(transport, port, patience)), buffer_(65'536) {}

void Peer::send(mqtt::Bytes bytes) {
    channel_->write(bytes);
}

void Peer::send_bytewise(mqtt::Bytes bytes) {
    for (; !bytes.empty(); bytes = bytes.subspan(1)) {
        send(bytes.first(1));
    }
}

Peer::Received Peer::receive() {
    using Kind = Received::Kind;
    for (;;) {
        const mqtt::FrameResult result = framer_.next(unread_);
        if (result.kind == mqtt::FrameResult::Kind::frame) {
            Received received{Kind::packet, {static_cast<std::byte>(result.frame.first_byte)}};
            received.packet.insert(received.packet.end(), result.frame.body.begin(),
                                   result.frame.body.end());
            return received;
        }
        if (result.kind == mqtt::FrameResult::Kind::error) {
            return {Kind::malformed, {}};
        }
        const Channel::Read read = channel_->read(buffer_);
        if (read.got != Channel::Got::bytes) {
            // An end or a reset: both are "closed" to MQTT.
            return {read.got == Channel::Got::closed ? Kind::closed : Kind::nothing, {}};
        }
        unread_ = mqtt::Bytes(buffer_).first(read.bytes);
    }
}

void Peer::reset_on_close() {
    channel_->reset_on_close();
}

void Peer::finish() {
    channel_->finish();
    while (receive().kind == Received::Kind::packet) {
    }
}

}  // namespace iotsky::wire
