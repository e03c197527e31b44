// TlsTransport: from the first byte to a finished handshake, and why it failed.

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <string_view>
#include <utility>

#include "base/bytes.hpp"
#include "broker/net/listener_shared.hpp"
#include "broker/net/tls_records.hpp"
#include "broker/net/tls_transport.hpp"

namespace iotsky::net {
namespace {

using Standing = broker::CertificateDirectory::Standing;

// CONNACK with code 5, "not authorized": the one thing a plain MQTT client understands.
constexpr std::string_view kConnackRefused{"\x20\x02\x00\x05", 4};
constexpr std::string_view kHttpAnswer{
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 32\r\n"
    "Connection: close\r\n\r\nThis port speaks MQTT over TLS.\n"};
constexpr std::string_view kHttpsAnswer{
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 64\r\n"
    "Connection: close\r\n\r\nThis port speaks HTTPS: write https:// in front of the address.\n"};

std::string text_or_empty(const char* text) {
    return text == nullptr ? std::string{} : std::string{text};
}

std::string chosen_alpn(const SSL& ssl) {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(&ssl, &name, &length);
    return {reinterpret_cast<const char*>(name), length};
}

HandshakeFault fault_of_reason(int reason) {
    switch (reason) {
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return HandshakeFault::no_certificate;
        case SSL_R_BAD_SIGNATURE:
            return HandshakeFault::wrong_key;
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return HandshakeFault::untrusted_certificate;
        case SSL_R_NO_SHARED_CIPHER:
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_NO_SUITABLE_KEY_SHARE:
        case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
            return HandshakeFault::nothing_in_common;
        default:
            return HandshakeFault::broken;
    }
}

}  // namespace

HandshakeStep TlsTransport::handshake(IoBuffers& buffers) {
    if (!ssl_) {
        fault_ = HandshakeFault::broken;
        detail_ = "out of memory";
        return HandshakeStep::failed;
    }
    const Input input = fetch(buffers, kRecordPlainBytes);
    if (!begun_ && !input.bytes.empty() && !speaks_tls(input.bytes)) {
        return HandshakeStep::failed;
    }
    pipe_.out = &buffers;
    std::size_t taken = 0;
    HandshakeStep step = advance(input.bytes, taken);
    pipe_.out = nullptr;
    keep_input(input.bytes.subspan(taken));
    undrained_ = !input.drained;
    const bool alive = push(buffers);
    if (step == HandshakeStep::failed || step == HandshakeStep::done) {
        return step;
    }
    if (!alive || input.ended) {
        fault_ = facts_.certificate_sent ? HandshakeFault::peer_refused_name
                                         : HandshakeFault::left_early;
        return HandshakeStep::failed;
    }
    return undrained_ ? HandshakeStep::more : step;
}

bool TlsTransport::speaks_tls(std::span<const std::byte> in) {
    switch (classify_first_bytes(in)) {
        case FirstBytes::tls:
            begun_ = true;
            return true;
        case FirstBytes::mqtt:
            fault_ = HandshakeFault::plain_mqtt;
            static_cast<void>(send_or_keep(as_bytes(kConnackRefused)));
            break;
        case FirstBytes::http:
            fault_ = HandshakeFault::http;
            static_cast<void>(
                send_or_keep(as_bytes(context_->impl().options.http ? kHttpsAnswer : kHttpAnswer)));
            break;
        case FirstBytes::other:
            fault_ = HandshakeFault::not_tls;
            break;
    }
    return false;
}

HandshakeStep TlsTransport::advance(std::span<const std::byte> in, std::size_t& taken) {
    for (;;) {
        const std::span<const std::byte> rest = in.subspan(taken);
        const WholeRecords whole = whole_records(rest, kRecordPlainBytes);
        const std::size_t slice = whole.malformed && whole.bytes == 0 ? rest.size() : whole.bytes;
        if (slice == 0) {
            return HandshakeStep::waiting;
        }
        pipe_.in = rest.first(slice);
        ERR_clear_error();
        const int result = SSL_do_handshake(ssl_.get());
        taken += slice - pipe_.in.size();
        pipe_.in = {};
        if (result == 1) {
            on_finished();
            return HandshakeStep::done;
        }
        if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
            on_failed();
            return HandshakeStep::failed;
        }
    }
}

void TlsTransport::on_finished() {
    SSL& ssl = *ssl_;
    facts_.finished = true;
    peer_.tls_version = SSL_get_version(&ssl);
    peer_.resumed = SSL_session_reused(&ssl) == 1;
    peer_.server_name = std::move(facts_.server_name);
    peer_.alpn = chosen_alpn(ssl);
    if (X509* const leaf = SSL_get0_peer_certificate(&ssl)) {
        // A resumed session brings the certificate in its ticket and asks no verifier.
        peer_.certificate_der = std::make_shared<const std::string>(
            facts_.certificate_der.empty() ? ossl::to_der(*leaf)
                                           : std::move(facts_.certificate_der));
        peer_.chain_verified = SSL_get_verify_result(&ssl) == X509_V_OK;
    }
    facts_.certificate_der = {};
    count_if_refused();
    tls_finished();
    const auto code = SSL_SESSION_get_max_fragment_length(SSL_get0_session(&ssl));
    if (code != TLSEXT_max_fragment_length_DISABLED) {
        record_plain_max_ = static_cast<std::uint16_t>(256U << code);  // RFC 6066: 2^9 .. 2^12
    }
}

/// Who finishes TLS only to be refused at CONNECT costs a handshake each time: that counts.
void TlsTransport::count_if_refused() {
    broker::CertificateDirectory* const directory = context_->impl().directory;
    if (!listener() || directory == nullptr || !peer_.certificate_der) {
        return;
    }
    const Standing standing =
        peer_.resumed ? directory->standing(*peer_.certificate_der) : facts_.standing;
    if (standing != Standing::active) {
        count_failure(accepted_at());
    }
}

void TlsTransport::on_failed() {
    unusable_ = true;
    const int reason = ERR_GET_REASON(ERR_peek_last_error());
    if (facts_.alert_received >= 0) {
        fault_ = fault_of_alert(facts_.alert_received);
        detail_ = "alert " + alert_name(facts_.alert_received);
        ERR_clear_error();
        return;
    }
    fault_ = facts_.revoked ? HandshakeFault::revoked : fault_of_reason(reason);
    detail_ = fault_ == HandshakeFault::untrusted_certificate
                  ? X509_verify_cert_error_string(SSL_get_verify_result(ssl_.get()))
                  : text_or_empty(ERR_reason_error_string(ERR_peek_last_error()));
    ERR_clear_error();
}

HandshakeFault TlsTransport::fault_of_alert(int alert) const noexcept {
    switch (alert) {
        case SSL_AD_UNKNOWN_CA:
        case SSL_AD_CERTIFICATE_UNKNOWN:
            return HandshakeFault::untrusting_peer;
        case SSL_AD_CERTIFICATE_EXPIRED:
            return HandshakeFault::peer_says_expired;
        case SSL_AD_BAD_CERTIFICATE:
            return HandshakeFault::peer_refused_name;
        default:
            return HandshakeFault::other_alert;
    }
}

void TlsTransport::tell_failure(bool timed_out, TimePoint now, WallTime wall) {
    HandshakeFailure failure;
    failure.fault = timed_out ? HandshakeFault::timed_out : fault_.value_or(HandshakeFault::broken);
    failure.server_name = facts_.server_name;
    failure.certificate_name = facts_.certificate_name;
    failure.our_names = context_->impl().server_names;
    failure.detail = detail_;
    report_failure(std::move(failure), FailedIn::tls, now, wall);
}

}  // namespace iotsky::net
