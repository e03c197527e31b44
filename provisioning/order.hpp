#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "provisioning/records.hpp"
#include "provisioning/store.hpp"

namespace iotsky::provisioning {

enum class KeySource : std::uint8_t {
    server,  ///< the CA makes the key; it is handed out once and stored nowhere
    csr,     ///< the device made it and sent a request
    none,    ///< no certificate
};

/// What a chain is for.
enum class Goal : std::uint8_t {
    thing,        ///< a new thing with all that belongs to it
    certificate,  ///< another certificate for a thing, a renewal, or a service identity
    student,      ///< a student with a project, no thing
};

/// What somebody asks for: a thing with its certificate and rights.
struct ThingRequest {
    std::string class_name;  ///< name or id; empty with `project`: a classless thing
    std::string project;     ///< made when missing
    std::string name;        ///< of the thing; its AWS name when classless
    std::optional<std::string> board;
    std::optional<std::string> type;
    Attributes attributes;
    KeySource key = KeySource::server;
    std::string key_type = "p256";  ///< "p256" | "rsa2048"
    std::string csr;                ///< PEM, with KeySource::csr
    std::vector<std::string>
        policies;  ///< attached to the thing, besides its class's default rights
};

/// What an event of the chain says; the outbox row is made of it.
struct OrderEvent {
    std::string kind;
    std::string body;  ///< a JSON object
};

/// One run of the chain: what was asked for, what the steps have made so far. Ids are drawn when
/// the order is placed, so that a step that runs twice finds its own work. Confined to the thread
/// that runs the chain (steps inside the transaction: the `registry` thread while it waits).
struct Order {
    Id id;
    Goal goal = Goal::thing;
    ThingRequest request;
    std::string actor;
    WallTime now{};
    bool dry_run = false;          ///< nothing is reserved, signed or kept
    bool imagine = false;          ///< with dry_run: what the event names is taken to exist
    bool has_thing = false;        ///< the event names a thing by its id
    bool has_certificate = false;  ///< the event names a certificate by its id

    // Drawn beforehand.
    Id thing_id;
    Id project_id;  ///< used if the project has to be made
    Id certificate_id;
    std::int64_t created_us = 0;

    // Certificates for what exists already.
    std::optional<std::string> service;  ///< a service identity instead of a thing
    std::optional<Id> entry_id;          ///< inherited by a renewal
    std::optional<Id> renewed_from;
    bool revoke_others = false;            ///< replaces the other certificates of its thing
    bool revoke_old = false;               ///< replaces the certificate that it renews
    std::optional<Id> owner;               ///< student to whom the project belongs
    std::optional<StudentRecord> student;  ///< to be made first (roster); then also the owner

    /// Stored with the outcome, for a call with an Idempotency-Key; `answer` is filled in.
    std::optional<IdempotencyRecord> idempotency;

    // What the steps have made.
    std::optional<ClassRecord> class_record;
    std::optional<ThingRecord> thing;
    bool project_made = false;
    std::vector<Id> policy_ids;
    std::optional<CertificateRecord> certificate;
    std::optional<SecretString> private_key;
    std::vector<OrderEvent> events;
    std::size_t events_stored = 0;  ///< of `events`, those in the outbox already
    bool recorded = false;          ///< in the audit already
    Affected affected;
    bool revoked = false;

    /// The open transaction, while run() is called. Not owned.
    Tx* tx = nullptr;
};

/// Puts the events that are not there yet into the outbox of `order.tx`.
void store_events(Order& order);

/// Topics that a thing in a class has by default, for the answer to its creator.
struct DefaultTopics {
    std::vector<std::string> publish;
    std::vector<std::string> subscribe;
};
[[nodiscard]] DefaultTopics default_topics(const ThingRecord& thing, bool strict_isolation);

}  // namespace iotsky::provisioning
