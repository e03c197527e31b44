#include "broker/net/handshake_doctor.hpp"

#include <array>
#include <utility>
#include <vector>

#include "base/log.hpp"

namespace iotsky::net {
namespace {

struct Row {
    HandshakeFault fault;
    const char* word;
    const char* number;
    const char* title;
    const char* how;
};

// In the order of the enum.
constexpr std::array kRows{
    Row{HandshakeFault::plain_mqtt, "plain_mqtt", "E3201", "plain MQTT on the TLS port",
        "Use the WiFiClientSecure sketch in your bundle (arduino-esp32), not WiFiClient."},
    Row{HandshakeFault::untrusting_peer, "untrusting_peer", "E3202",
        "peer does not trust this broker",
        "The sketch has another class's or last year's ca.crt. Fetch the bundle again."},
    Row{HandshakeFault::no_certificate, "no_certificate", "E3203", "no client certificate",
        "In Arduino: setCertificate() and setPrivateKey() must come before connect()."},
    Row{HandshakeFault::wrong_key, "wrong_key", "E3204", "certificate and key do not fit",
        "Copy both from the same zip."},
    Row{HandshakeFault::peer_says_expired, "peer_says_expired", "E3205",
        "peer takes our certificate for expired",
        "Its clock is after 2049, or wrong: print it in the sketch, and do not set it by hand."},
    Row{HandshakeFault::peer_refused_name, "peer_refused_name", "E3206",
        "peer refused our certificate",
        "Connect to a name or address of the certificate, or add yours to names or addresses in "
        "[server] and restart the broker: its key stays the same."},
    Row{HandshakeFault::http, "http", "E3207", "HTTP without TLS on a TLS port",
        "Write https:// in front of the web address; iotsky status shows the addresses."},
    Row{HandshakeFault::untrusted_certificate, "untrusted_certificate", "E3208",
        "unknown client certificate",
        "Fetch the bundle again, or register the certificate: iotsky cert list shows the known "
        "ones."},
    Row{HandshakeFault::timed_out, "timed_out", "E3209", "TLS handshake took too long",
        "Weak Wi-Fi, or a program that opens the port and says nothing."},
    Row{HandshakeFault::nothing_in_common, "nothing_in_common", "E3210",
        "no TLS version or cipher in common",
        "The least is TLS 1.2 with ECDHE and AES-GCM or ChaCha20; update the device's library."},
    Row{HandshakeFault::revoked, "revoked", "E3211", "revoked client certificate",
        "Ask for a new certificate: iotsky bundle make THING."},
    Row{HandshakeFault::other_alert, "other_alert", "E3212", "peer ended the TLS handshake",
        "Look at the device's own log for this alert."},
    Row{HandshakeFault::not_tls, "not_tls", "E3213", "no TLS on the TLS port",
        "Check the port number in the program that connects."},
    Row{HandshakeFault::broken, "broken", "E3214", "TLS handshake failed",
        "If the device is yours, update its TLS library; else it may be a scanner."},
    Row{HandshakeFault::ws_request, "ws_request", "E3215", "no request for MQTT over WebSocket",
        "Connect to the path and the port that iotsky status shows, with wss:// in front."},
    Row{HandshakeFault::ws_subprotocol, "ws_subprotocol", "E3216",
        "WebSocket without the sub-protocol mqtt",
        "Use an MQTT library (MQTT.js, Paho), or new WebSocket(url, \"mqtt\")."},
    Row{HandshakeFault::ws_origin, "ws_origin", "E3217", "WebSocket from a page of another site",
        "If the page is yours, add its origin to allowed_origins of the listener."},
    Row{HandshakeFault::left_early, "left_early", "", "peer left before TLS began", ""},
};

static_assert(kRows.size() == kHandshakeFaults);

const Row& row_of(HandshakeFault fault) noexcept {
    return kRows[static_cast<std::size_t>(fault)];
}

std::string in_brackets(const std::string& text) {
    return text.empty() ? std::string{} : " (" + text + ")";
}

std::string name_or(const HandshakeFailure& f, const char* otherwise) {
    return f.certificate_name.empty() ? std::string{otherwise} : f.certificate_name;
}

std::string why_name(const HandshakeFailure& f) {
    const std::string asked = f.server_name.empty()
                                  ? "It sent no name (SNI)"
                                  : "It asked for \"" + f.server_name + "\" (SNI)";
    return f.address + " closed after our certificate" + in_brackets(f.detail) + ". " + asked +
           " and reached us on " + f.local_address + "; the certificate says " + f.our_names + ".";
}

std::string why_of(const HandshakeFailure& f) {
    switch (f.fault) {
        case HandshakeFault::plain_mqtt:
            return f.address + " spoke plain MQTT to the TLS port.";
        case HandshakeFault::untrusting_peer:
            return f.address + " does not trust this broker" + in_brackets(f.detail) + ".";
        case HandshakeFault::no_certificate:
            return f.address + " sent no certificate.";
        case HandshakeFault::wrong_key:
            return name_or(f, f.address.c_str()) + "'s certificate came with another key.";
        case HandshakeFault::peer_says_expired:
            return f.address + " says that our certificate has expired.";
        case HandshakeFault::peer_refused_name:
            return why_name(f);
        case HandshakeFault::http:
            return f.address + " spoke HTTP without TLS to a TLS port.";
        case HandshakeFault::untrusted_certificate:
            return f.address + " showed the certificate \"" + f.certificate_name +
                   "\", which is not registered here and does not verify" + in_brackets(f.detail) +
                   ".";
        case HandshakeFault::timed_out:
            return f.address + " did not finish its TLS handshake in time.";
        case HandshakeFault::nothing_in_common:
            return f.address + " offers nothing that we take" + in_brackets(f.detail) + ".";
        case HandshakeFault::revoked:
            return "The certificate \"" + f.certificate_name + "\" was revoked or suspended.";
        case HandshakeFault::other_alert:
            return f.address + " ended the handshake" + in_brackets(f.detail) + ".";
        case HandshakeFault::not_tls:
            return f.address + " spoke something else than TLS.";
        case HandshakeFault::broken:
            return f.address + " sent a handshake that cannot be read" + in_brackets(f.detail) +
                   ".";
        case HandshakeFault::ws_request:
        case HandshakeFault::ws_subprotocol:
        case HandshakeFault::ws_origin:
            return f.address + " asked for a WebSocket and did not get it" + in_brackets(f.detail) +
                   ".";
        case HandshakeFault::left_early:
            break;
    }
    return f.address + " left before TLS began.";
}

std::string fold_key(const HandshakeFailure& failure) {
    return failure.address + ' ' + to_string(failure.fault) + ' ' + failure.server_name + ' ' +
           failure.certificate_name;
}

}  // namespace

Diagnosis diagnose(const HandshakeFailure& failure) {
    const Row& row = row_of(failure.fault);
    return {row.number, row.title, why_of(failure), row.how};
}

const char* to_string(HandshakeFault fault) noexcept {
    return row_of(fault).word;
}

std::string alert_name(int alert) {
    switch (alert) {
        case 10:
            return "unexpected_message";
        case 20:
            return "bad_record_mac";
        case 40:
            return "handshake_failure";
        case 42:
            return "bad_certificate";
        case 43:
            return "unsupported_certificate";
        case 44:
            return "certificate_revoked";
        case 45:
            return "certificate_expired";
        case 46:
            return "certificate_unknown";
        case 47:
            return "illegal_parameter";
        case 48:
            return "unknown_ca";
        case 49:
            return "access_denied";
        case 50:
            return "decode_error";
        case 51:
            return "decrypt_error";
        case 70:
            return "protocol_version";
        case 71:
            return "insufficient_security";
        case 80:
            return "internal_error";
        case 90:
            return "user_canceled";
        case 112:
            return "unrecognized_name";
        case 116:
            return "certificate_required";
        default:
            return std::to_string(alert);
    }
}

void HandshakeDoctor::failed(const HandshakeFailure& failure, TimePoint now, WallTime wall) {
    if (failure.fault == HandshakeFault::left_early) {
        return;
    }
    {
        const LockGuard lock(mutex_);
        const std::string key = fold_key(failure);
        if (const auto it = folded_.find(key); it != folded_.end()) {
            ++it->second.more;
            return;
        }
        if (folded_.size() >= kFoldedMax) {
            return;  // the listener counts it; a flood of addresses must not become a flood of
                     // lines
        }
        folded_.emplace(key, Folded{failure, now, 0});
    }
    tell(failure, 1, wall);
}

bool HandshakeDoctor::tell_folded(TimePoint now, WallTime wall) {
    std::vector<Folded> due;
    bool left = false;
    {
        const LockGuard lock(mutex_);
        for (auto it = folded_.begin(); it != folded_.end();) {
            if (now - it->second.begin < kFold) {
                ++it;
                continue;
            }
            if (it->second.more > 0) {
                due.push_back(std::move(it->second));
            }
            it = folded_.erase(it);
        }
        left = !folded_.empty();
    }
    for (const Folded& folded : due) {
        tell(folded.failure, folded.more, wall);
    }
    return left;
}

void HandshakeDoctor::tell(const HandshakeFailure& failure, std::uint32_t count,
                           WallTime wall) const {
    const Diagnosis words = diagnose(failure);
    log::warn(words.number, words.title,
              {{"addr", failure.address},
               {"listener", failure.listener},
               {"sni", failure.server_name},
               {"cert", failure.certificate_name},
               {"detail", failure.detail},
               {"count", count}});
    if (sink_ == nullptr) {
        return;
    }
    broker::Refusal refusal;
    refusal.number = words.number;
    refusal.what = "connect";
    refusal.identity = failure.certificate_name;
    refusal.address = failure.address;
    refusal.listener = failure.listener;
    refusal.server_name = failure.server_name;
    refusal.rule = "tls";
    refusal.why = words.why;
    refusal.how = words.how;
    refusal.count = count;
    refusal.time = wall;
    sink_->refused(refusal);
}

}  // namespace iotsky::net
