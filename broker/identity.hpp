#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "acl/auth_context.hpp"
#include "acl/me_alias.hpp"
#include "base/clock.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/transport.hpp"

namespace iotsky::broker {

/// What a class allows each of its things (`product.md` 7.3). Immutable; a change of the class
/// comes as a new Identity, like a change of rights.
struct ThingLimits {
    std::uint32_t messages_per_second = 0;  ///< PUBLISHes over time, of all its connections; 1 or
                                            ///< more
    std::uint32_t burst = 0;                ///< PUBLISHes at once, 1 or more
    std::uint32_t payload_bytes_max = 0;
    std::uint32_t retained_max = 0;   ///< retained messages that it set and that are still there
    std::size_t queue_bytes_max = 0;  ///< per session; the broker's own limit holds as well

    friend bool operator==(const ThingLimits&, const ThingLimits&) = default;
};

/// Who a connection belongs to, and what that allows. Immutable, shared by the connections of one
/// principal.
struct Identity {
    std::string
        scope;  ///< session scope: the principal (`decisions.md` 5); one constant in account mode
    std::string name;  ///< for people: "7b/otter/weather", a service's or user's name, "anonymous"
    std::string class_name;  ///< empty outside classes
    std::string thing_id;    ///< "th_..."; empty without a thing
    std::string
        certificate_id;  ///< registry entry of the certificate that was shown; empty without one
    /// The certificate itself, for rules that read its names; null without one.
    std::shared_ptr<const std::string> certificate_der;
    acl::MeAlias alias;  ///< what `$me` stands for
    std::shared_ptr<const acl::RuleSet> rules;
    acl::Attributes attributes;  ///< without client id and address, which belong to the connection
    std::optional<WallTime> valid_until;
    bool disconnect_on_denied_publish = false;
    std::optional<ThingLimits> limits;  ///< of its class; none outside classes
    std::uint64_t rights_version = 0;   ///< grows with each change of this principal's rights
};

/// The answer to "may this peer connect?".
struct Admission {
    mqtt::ConnectCode code = mqtt::ConnectCode::not_authorized;
    std::shared_ptr<const Identity> identity;  ///< set when code is accepted
    std::string number;                        ///< "E3203" when refused
    std::string why;                           ///< for log and doctor, never on the wire
    std::string name;                          ///< the peer's certificate name, when it is known
    bool revoked =
        false;  ///< refused because its certificate was revoked: the session is sealed, not kept
};

/// The registry's published view, as the broker asks it. Implemented above (apps joins provisioning
/// to it). Thread: any; never blocks on a disk.
class IdentityDirectory {
  public:
    virtual ~IdentityDirectory() = default;
    /// Looks the peer up at CONNECT, also for resumed TLS sessions, and again on the home thread.
    [[nodiscard]] virtual Admission admit(const PeerInfo& peer,
                                          const mqtt::ConnectView& connect) = 0;
    /// The same principal by the same certificate, as the registry knows it now: asked when rights
    /// changed. A refusal means that it may not be connected any more.
    [[nodiscard]] virtual Admission refresh(const Identity& identity) = 0;
    /// The principal of a stored session, after a restart; a refusal with `revoked` ends the
    /// session.
    [[nodiscard]] virtual Admission recall(std::string_view scope) = 0;
};

/// What a TLS handshake asks before it accepts a client certificate (`decisions.md` 11).
class CertificateDirectory {
  public:
    enum class Standing : std::uint8_t {
        active,          ///< passes, also without a known chain (a registered foreign certificate)
        known_inactive,  ///< revoked, suspended, pending, expired by registry
        unknown,         ///< passes only if its chain verifies; CONNECT is then refused in words
    };
    virtual ~CertificateDirectory() = default;
    /// `der`: the leaf. Thread: any; never blocks on a disk.
    [[nodiscard]] virtual Standing standing(std::string_view der) = 0;
};

/// One refusal, told to the people concerned: log, counters, refusal history, notice.
struct Refusal {
    std::string number;    ///< "E3101"
    std::string what;      ///< "publish", "subscribe", "connect", "will", "receive"
    std::string identity;  ///< Identity::name, or the certificate name or empty
    std::string thing_id;
    std::string class_name;
    std::string client_id;
    std::string address;
    std::string listener;     ///< name of the listener it came in by
    std::string server_name;  ///< SNI of a failed handshake; empty when none was sent
    std::string topic;
    std::string rule;  ///< what decided; empty for a CONNECT that CONNACK refused
    std::string why;
    std::string how;  ///< nearest allowed topic or command
    std::uint32_t count = 1;
    WallTime time{};
};

/// Where refusals go besides the client. Thread: any; never blocks.
class RefusalSink {
  public:
    virtual ~RefusalSink() = default;
    virtual void refused(const Refusal& refusal) = 0;
};

}  // namespace iotsky::broker
