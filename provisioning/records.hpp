#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "certs/fingerprint.hpp"
#include "provisioning/date.hpp"

/// The rows of the registry as values. `rev` counts the changes of a row and is its ETag; a new row
/// has rev 1. All times are UTC, whole seconds.
namespace iotsky::provisioning {

using Rev = std::uint64_t;
/// A SHA-256 hash.
using Sha256 = std::array<std::uint8_t, 32>;
using Attributes = std::vector<std::pair<std::string, std::string>>;  ///< sorted by key

/// What the broker does when a thing publishes where it may not (decisions 8).
enum class OnDeniedPublish : std::uint8_t { ack, disconnect };

/// Limits inside a class; each is 1 or more.
struct ClassLimits {
    std::int64_t things_per_project_max = 5;
    std::int64_t messages_per_second = 10;
    std::int64_t burst = 50;  ///< messages
    std::int64_t payload_bytes_max = std::int64_t{32} * 1024;
    std::int64_t retained_per_thing_max = 50;  ///< messages
    std::int64_t queue_bytes_per_session_max = std::int64_t{256} * 1024;

    friend bool operator==(const ClassLimits&, const ClassLimits&) = default;
};

struct ClassSettings {
    bool strict_isolation = false;
    OnDeniedPublish on_denied_publish = OnDeniedPublish::ack;
    ClassLimits limits;

    friend bool operator==(const ClassSettings&, const ClassSettings&) = default;
};

struct ClassRecord {
    Id id;
    std::string name;
    std::optional<Date> ends_on;  ///< open until this day is over; none = no end
    std::int64_t grace_days = 14;
    ClassSettings settings;
    WallTime created_at{};
    Rev rev = 1;
};

struct StudentRecord {
    Id id;
    Id class_id;
    std::string pseudonym;
    std::optional<std::string> real_name;
    WallTime created_at{};
    Rev rev = 1;
};

struct ProjectRecord {
    Id id;
    Id class_id;
    std::string name;
    WallTime created_at{};
    Rev rev = 1;
};

struct ThingRecord {
    Id id;
    std::optional<Id> class_id;  ///< none: classless, then no project either
    std::optional<Id> project_id;
    std::string name;      ///< last part of the path; the AWS name when classless
    std::string aws_name;  ///< "class:project:thing", unique
    std::optional<std::string> type;
    std::optional<std::string> board;
    Attributes attributes;
    WallTime created_at{};
    Rev rev = 1;

    /// "class/project/thing"; the AWS name when classless.
    [[nodiscard]] std::string path() const;
};

enum class CertificateStatus : std::uint8_t { pending, active, suspended, revoked, inactive };
enum class CertificateOrigin : std::uint8_t { server_key, csr, foreign };

struct CertificateRecord {
    Id id;
    Id entry_id;  ///< handed on when renewed; scope of sessions when there is no one thing
    std::string
        issuer;  ///< key identifier of the CA, hexadecimal; a foreign CA without one: its name
    std::string serial;                             ///< lower-case hexadecimal
    std::optional<certs::Fingerprint> fingerprint;  ///< none while pending
    CertificateStatus status = CertificateStatus::pending;
    CertificateOrigin origin = CertificateOrigin::server_key;
    std::string key_type;  ///< "p256", "rsa2048", or what a foreign certificate has
    std::optional<WallTime> not_before;
    std::optional<WallTime> not_after;
    std::string pem;                     ///< empty while pending
    std::optional<std::string> service;  ///< name of a service identity
    std::optional<Id> renewed_from;
    std::optional<WallTime> revoked_at;
    std::optional<std::string> revoke_reason;
    std::int64_t created_us = 0;  ///< microseconds since 1970: the order of lists
    Rev rev = 1;
};

struct PolicyRecord {
    Id id;
    std::string name;
    std::int64_t default_version = 1;
    std::int64_t last_version = 1;  ///< version numbers are never used twice
    WallTime created_at{};
    Rev rev = 1;
};

struct PolicyVersionRecord {
    Id policy_id;
    std::int64_t version = 1;
    std::string document;
    WallTime created_at{};
};

/// What a policy can be attached to.
enum class TargetKind : std::uint8_t { certificate, thing, project, class_, group, user };

struct Target {
    TargetKind kind = TargetKind::thing;
    Id id;

    friend bool operator==(const Target&, const Target&) = default;
};

enum class Role : std::uint8_t { admin, teacher, assistant, student, projector, device };

struct TokenRecord {
    Id id;
    std::string name;
    Sha256 sha256{};
    Role role = Role::admin;
    std::optional<Id> class_id;    ///< narrows to one class
    std::optional<Id> project_id;  ///< narrows to one project
    std::optional<WallTime> expires_at;
    std::optional<WallTime> last_used_at;
    std::optional<WallTime> revoked_at;
    std::int64_t created_us = 0;
    Rev rev = 1;
};

/// One event of the outbox. `body` is a JSON object.
struct Event {
    std::uint64_t seq = 0;
    WallTime at{};
    std::string kind;  ///< e.g. "thing.created"; the topic is $iotsky/events/<kind>
    std::string body;
};

/// One entry of the audit chain.
struct AuditEntry {
    std::uint64_t seq = 0;
    WallTime at{};
    std::string actor;
    std::string action;
    std::string object;
    std::string detail;  ///< a JSON object
    Sha256 hash{};
};

/// The stored answer to a call that carried an Idempotency-Key.
struct IdempotencyRecord {
    std::string caller;
    std::string key;
    Sha256 request_sha256{};
    std::string answer;  ///< without a private key
    bool key_handed_out = false;
    WallTime created_at{};
};

}  // namespace iotsky::provisioning
