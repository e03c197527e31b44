#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/siphash.hpp"
#include "base/thread.hpp"
#include "broker/identity.hpp"

namespace iotsky::net {

/// What went wrong before MQTT could begin.
enum class HandshakeFault : std::uint8_t {
    plain_mqtt,             ///< E3201
    untrusting_peer,        ///< E3202: alert unknown_ca or certificate_unknown
    no_certificate,         ///< E3203
    wrong_key,              ///< E3204: the signature over the handshake is not the certificate's
    peer_says_expired,      ///< E3205: alert certificate_expired
    peer_refused_name,      ///< E3206: alert bad_certificate, or gone after our certificate
    http,                   ///< E3207
    untrusted_certificate,  ///< E3208: no CA of ours signed it
    timed_out,              ///< E3209
    nothing_in_common,      ///< E3210: version, cipher or group
    revoked,                ///< E3211: with strict_revocation
    other_alert,            ///< E3212
    not_tls,                ///< E3213
    broken,                 ///< E3214: a malformed or damaged handshake
    ws_request,             ///< E3215: no request for MQTT over WebSocket
    ws_subprotocol,         ///< E3216: it offers no MQTT
    ws_origin,              ///< E3217: a page of another site opened it
    left_early,             ///< said nothing, or left before our certificate; counted, not told
};

inline constexpr std::size_t kHandshakeFaults = 18;

/// One failed handshake, as far as it is known. Text of the peer is raw.
struct HandshakeFailure {
    HandshakeFault fault = HandshakeFault::broken;
    std::string listener;
    std::string address;
    std::string local_address;
    std::string server_name;       ///< SNI
    std::string certificate_name;  ///< CN of the peer's certificate
    std::string our_names;         ///< what our certificate says
    std::string detail;            ///< alert, OpenSSL's or the verifier's words
};

/// The same in words.
struct Diagnosis {
    std::string number;  ///< "E3203"; empty for left_early
    std::string title;   ///< constant text for the log
    std::string why;     ///< with address and names
    std::string how;     ///< what to do
};

/// Thread: any (pure).
[[nodiscard]] Diagnosis diagnose(const HandshakeFailure& failure);
/// The word for counters and metrics, e.g. "no_certificate".
[[nodiscard]] const char* to_string(HandshakeFault fault) noexcept;
/// RFC 8446's name of an alert, e.g. "unknown_ca"; "alert 99" for others.
[[nodiscard]] std::string alert_name(int alert);

/// Tells failed handshakes to the log and to a RefusalSink. Equal ones of one address are told once
/// and then counted for ten seconds. Synchronised: a leaf lock, taken only when a handshake failed.
class HandshakeDoctor {
  public:
    static constexpr std::chrono::seconds kFold{10};
    static constexpr std::size_t kFoldedMax = 1'024;  ///< addresses and faults at once; others wait

    /// `sink`: may be null; must outlive the doctor.
    explicit HandshakeDoctor(broker::RefusalSink* sink) noexcept : sink_(sink) {}

    void failed(const HandshakeFailure& failure, TimePoint now, WallTime wall);
    /// Tells what was folded and is due. True: something is left for a later call.
    bool tell_folded(TimePoint now, WallTime wall);

  private:
    struct Folded {
        HandshakeFailure failure;
        TimePoint begin;
        std::uint32_t more = 0;  ///< beyond the one that was told
    };

    void tell(const HandshakeFailure& failure, std::uint32_t count, WallTime wall) const;

    broker::RefusalSink* sink_;
    mutable Mutex mutex_;
    std::unordered_map<std::string, Folded, KeyedHash> folded_ IOTSKY_GUARDED_BY(mutex_);
};

}  // namespace iotsky::net
