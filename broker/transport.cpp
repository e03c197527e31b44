#include "broker/transport.hpp"

namespace iotsky::broker {

const char* to_string(CloseReason reason) noexcept {
    switch (reason) {
        case CloseReason::none:
            return "none";
        case CloseReason::client_disconnect:
            return "client_disconnect";
        case CloseReason::peer_closed:
            return "peer_closed";
        case CloseReason::protocol_error:
            return "protocol_error";
        case CloseReason::connect_refused:
            return "connect_refused";
        case CloseReason::connect_timeout:
            return "connect_timeout";
        case CloseReason::packet_timeout:
            return "packet_timeout";
        case CloseReason::keep_alive_timeout:
            return "keep_alive_timeout";
        case CloseReason::taken_over:
            return "taken_over";
        case CloseReason::second_connect:
            return "second_connect";
        case CloseReason::stuck_reader:
            return "stuck_reader";
        case CloseReason::kicked:
            return "kicked";
        case CloseReason::rights_revoked:
            return "rights_revoked";
        case CloseReason::denied_publish:
            return "denied_publish";
        case CloseReason::receiver_full:
            return "receiver_full";
        case CloseReason::service_timeout:
            return "service_timeout";
        case CloseReason::shutting_down:
            return "shutting_down";
        case CloseReason::overload:
            return "overload";
        case CloseReason::internal_error:
            return "internal_error";
    }
    return "unknown";
}

}  // namespace iotsky::broker
