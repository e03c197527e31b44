#include "apps/config/table.hpp"

#include <algorithm>

// A big table, on purpose: one row is all there is to know about a key.
namespace iotsky::apps {
namespace {

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kDay = std::int64_t{24} * 60 * kMinute;
constexpr std::int64_t kKiB = 1 << 10;
constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kGiB = 1 << 30;

constexpr std::string_view kOwnLimit = "The same.";

#define IOTSKY_FIELD(path) ([](auto& c) -> auto& { return c.path; })

using Rows = std::vector<Setting<Config>>;

template <typename Access>
Setting<Config> row(std::string_view key, Kind kind, Range range, Access access,
                    std::string_view help, Takes takes = Takes::restart) {
    return setting<Config>(key, kind, range, takes, access, help);
}

template <typename Access>
Setting<Config> text(std::string_view key, Kind kind, Access access, std::string_view help) {
    return setting<Config>(key, kind, {}, Takes::restart, access, help);
}

Rows root_rows() {
    return {
        row("schema", Kind::integer, {1, 1}, IOTSKY_FIELD(schema),
            "Version of this file's meaning. A newer number is refused instead of being misread.")};
}

Rows server_rows() {
    return {
        text("names", Kind::texts, IOTSKY_FIELD(server.names),
             "DNS names by which devices reach this machine. They go into the server certificate; "
             "the first is "
             "printed in bundles."),
        text("addresses", Kind::texts, IOTSKY_FIELD(server.addresses),
             "IP addresses for the server certificate. Empty: all addresses that the machine has "
             "at start; a new one "
             "re-issues the certificate under the same key."),
        text("data_dir", Kind::path, IOTSKY_FIELD(server.data_dir),
             "Folder of the registry, the CA and the messages. `--data` wins over it."),
        text("site", Kind::text, IOTSKY_FIELD(server.site),
             "Short name of the installation, shown in the subjects of its CAs: 1 to 32 of A-Z a-z "
             "0-9 _ . -."),
    };
}

Rows durability_rows() {
    return {
        choice<Config>(
            "mode", {"durable", "relaxed", "memory"}, Takes::restart, IOTSKY_FIELD(durability.mode),
            "What an acknowledgement promises. durable: sessions, subscriptions, retained and "
            "queued messages are on disk before it leaves. relaxed: they are on disk within "
            "`batch_wait_max` (1 s on a slow disk). memory: they live until the process ends. The "
            "registry (things, certificates, rights) is always on disk."),
        row("batch_wait_max", Kind::duration, {10, kSecond},
            IOTSKY_FIELD(durability.batch_wait_max),
            "Changes that no acknowledgement waits for are written together after so long. Longer: "
            "fewer writes, which SD cards like, and more to lose in mode relaxed."),
        row("retry_every", Kind::duration, {10, kMinute}, IOTSKY_FIELD(durability.retry_every),
            "Pause between two tries of a write that failed. Nothing is lost meanwhile, and "
            "nothing "
            "that needs the disk is acknowledged."),
        row("wal_reserve_bytes", Kind::size, {0, kGiB}, IOTSKY_FIELD(durability.wal_reserve_bytes),
            "Kept allocated for the log of messages.db: on a full disk even deletions need room."),
    };
}

Rows class_rows() {
    return {
        row("max_things_per_project", Kind::integer, {1, 1'000'000},
            IOTSKY_FIELD(class_defaults.things_per_project_max), "Things in one project.",
            Takes::restart),
        row("messages_per_second", Kind::integer, {1, 1'000'000},
            IOTSKY_FIELD(class_defaults.messages_per_second),
            "Messages that a thing may publish, over time, all its connections together. A faster "
            "one is slowed down to this, and told."),
        row("burst", Kind::integer, {1, 1'000'000}, IOTSKY_FIELD(class_defaults.burst),
            "Messages that a thing may publish at once."),
        row("payload_max", Kind::size, {1, 268'435'455},
            IOTSKY_FIELD(class_defaults.payload_bytes_max),
            "Longest payload of a thing. A longer one is treated as `on_denied_publish` says.",
            Takes::restart),
        row("retained_per_thing", Kind::integer, {1, 1'000'000},
            IOTSKY_FIELD(class_defaults.retained_per_thing_max),
            "Retained messages of a thing. One more is delivered, but not kept.", Takes::restart),
        row("queue_per_session", Kind::size, {kKiB, kGiB},
            IOTSKY_FIELD(class_defaults.queue_bytes_per_session_max),
            "Messages waiting for a session of a thing; then `limits.queue_full` applies."),
        choice<Config>("on_denied_publish", {"ack", "disconnect"}, Takes::restart,
                       IOTSKY_FIELD(class_defaults.on_denied_publish),
                       "What a refused PUBLISH gets: ack: the acknowledgement that MQTT 3.1.1 "
                       "owes, and a notice; "
                       "disconnect: the end of the connection, as AWS does it."),
        row("strict_isolation", Kind::flag, {}, IOTSKY_FIELD(class_defaults.strict_isolation),
            "Things of a class see their own tree alone: no project, board or commons topics.",
            Takes::restart),
    };
}

Rows connection_rows() {
    return {
        row("pre_connect_bytes_max", Kind::size, {kKiB, kMiB},
            IOTSKY_FIELD(broker.limits.pre_connect_bytes_max),
            "Bytes that a peer may send before its CONNECT is whole."),
        row("connect_timeout", Kind::duration, {100, 10 * kMinute},
            IOTSKY_FIELD(broker.limits.connect_timeout),
            "From accepting a connection to its whole CONNECT."),
        row("packet_timeout", Kind::duration, {100, 60 * kMinute},
            IOTSKY_FIELD(broker.limits.packet_timeout),
            "From the first byte of a packet to its last."),
        row("stuck_reader_timeout", Kind::duration, {100, 60 * kMinute},
            IOTSKY_FIELD(broker.limits.stuck_reader_timeout),
            "A peer that takes no byte for so long, although some wait, is closed."),
        row("linger_timeout", Kind::duration, {0, kMinute},
            IOTSKY_FIELD(broker.limits.linger_timeout),
            "Time to hand over the last bytes before a connection is closed."),
        row("packet_bytes_max", Kind::size, {128, 268'435'455},
            IOTSKY_FIELD(broker.limits.packet_bytes_max),
            "Longest packet taken from a client, by its Remaining Length."),
        row("inflight_max", Kind::integer, {1, broker::kInflightMax},
            IOTSKY_FIELD(broker.limits.inflight_max),
            "Unacknowledged PUBLISH packets per session and direction."),
        row("keep_alive_max", Kind::duration, {0, 65'535 * kSecond},
            IOTSKY_FIELD(broker.limits.keep_alive_max),
            "Longest Keep Alive that is honoured; a client that asks for more, or for none, gets "
            "this. 0s: as the "
            "client asks."),
        row("client_id_bytes_max", Kind::size, {23, 65'535},
            IOTSKY_FIELD(broker.limits.client_id_bytes_max), "Longest Client Identifier."),
        row("connections_max", Kind::integer, {1, 1'000'000},
            IOTSKY_FIELD(broker.limits.connections_max), "Open connections of all MQTT listeners."),
    };
}

Rows session_rows() {
    return {
        row("sessions_max", Kind::integer, {1, 10'000'000},
            IOTSKY_FIELD(broker.limits.sessions_max), "Sessions, connected or not."),
        row("session_expiry", Kind::duration, {kSecond, 3'650 * kDay},
            IOTSKY_FIELD(broker.limits.session_expiry),
            "A persistent session without a connection is forgotten after so long; restarts do not "
            "begin it anew."),
        row("queue_bytes_max", Kind::size, {kKiB, std::int64_t{1} << 40},
            IOTSKY_FIELD(broker.limits.queue_bytes_max), "Messages waiting for one session."),
        row("queue_messages_max", Kind::integer, {1, 100'000'000},
            IOTSKY_FIELD(broker.limits.queue_messages_max), "The same, counted."),
        row("queue_memory_bytes_max", Kind::size, {kKiB, kGiB},
            IOTSKY_FIELD(broker.limits.queue_memory_bytes_max),
            "What memory holds of a persistent session's queue while its client is here; the rest "
            "lies on disk alone, and so does all of it while the client is away. Not in mode "
            "memory."),
        row("queue_age_max", Kind::duration, {0, 3'650 * kDay},
            IOTSKY_FIELD(broker.limits.queue_age_max),
            "A message that waited in a queue for so long is dropped, counted and told, to a 32nd "
            "of "
            "it. Time while the broker is off does not count; what waited before a restart counts "
            "from then on. 0s: never."),
        row("queue_bytes_per_project_max", Kind::size, {0, std::int64_t{1} << 40},
            IOTSKY_FIELD(broker.limits.queue_bytes_per_project_max),
            "Messages waiting for all sessions of one project together. 0: no limit."),
        row("queue_bytes_broker_max", Kind::size, {0, std::int64_t{1} << 50},
            IOTSKY_FIELD(broker.limits.queue_bytes_broker_max),
            "The same for the broker. Clients that are connected and keep up are not held up by "
            "the "
            "queues of others."),
        choice<Config>(
            "queue_full", {"drop-newest", "drop-oldest", "refuse"}, Takes::restart,
            IOTSKY_FIELD(broker.limits.queue_full),
            "When a queue is full, a session's, its project's or the broker's: which message is "
            "dropped, counted and told; or, with "
            "refuse, the client that publishes to it gets no acknowledgement, is told and closed, "
            "so that nothing acknowledged is lost and one receiver that is away can hold up all "
            "who publish to it."),
        row("publish_pacing", Kind::duration, {0, 100}, IOTSKY_FIELD(broker.limits.publish_pacing),
            "How long the acknowledgement of a PUBLISH is held back while a connected receiver has "
            "more than half of its queue waiting. Fewer messages are dropped for it; its "
            "publishers, and with them their other receivers, get slower. 0s: not at all."),
        row("filters_max", Kind::integer, {1, 1'000'000}, IOTSKY_FIELD(broker.limits.filters_max),
            "Subscriptions of one session."),
        row("subscription_changes_per_second", Kind::integer, {1, 1'000'000},
            IOTSKY_FIELD(broker.limits.subscription_changes_per_second),
            "Topic Filters that a connection may subscribe or unsubscribe, over time; a faster one "
            "is slowed down to this."),
        row("subscription_changes_burst", Kind::integer, {1, 1'000'000},
            IOTSKY_FIELD(broker.limits.subscription_changes_burst), "The same, at once."),
        row("takeovers_max", Kind::integer, {0, 1'000}, IOTSKY_FIELD(broker.limits.takeovers_max),
            "Take-overs of one session by a board with another address in takeover_window; then "
            "one of the two stays and the other is refused (E3301). 0: they may go on."),
        row("takeover_window", Kind::duration, {kSecond, 60 * kMinute},
            IOTSKY_FIELD(broker.limits.takeover_window),
            "The time in which they count; the refusals end after as long without a try."),
        choice<Config>("clone_stays", {"newest", "first"}, Takes::restart,
                       IOTSKY_FIELD(broker.limits.clone_stays),
                       "Which of two boards with one identity and Client Identifier stays."),
        row("topic_levels_max", Kind::integer, {0, 65'535},
            IOTSKY_FIELD(broker.limits.topic_levels_max), "Levels of a topic. 0: no limit."),
        row("retained_messages_max", Kind::integer, {1, 100'000'000},
            IOTSKY_FIELD(broker.retained_messages_max), "Retained messages of the broker."),
        row("retained_bytes_max", Kind::size, {kKiB, std::int64_t{1} << 40},
            IOTSKY_FIELD(broker.retained_bytes_max), "Their bytes."),
    };
}

Rows memory_rows() {
    return {
        row("out_soft_bytes", Kind::size, {kKiB, kGiB}, IOTSKY_FIELD(broker.limits.out_soft_bytes),
            "Bytes waiting in a connection's output from which no more is taken from its queue."),
        row("out_hard_bytes", Kind::size, {kKiB, kGiB}, IOTSKY_FIELD(broker.limits.out_hard_bytes),
            "From here on QoS 0 messages for it are dropped and counted."),
        row("out_ack_reserve_bytes", Kind::size, {kKiB, kGiB},
            IOTSKY_FIELD(broker.limits.out_ack_reserve_bytes),
            "Reserve beyond the soft mark for acknowledgements; when it is full, reading pauses."),
        row("gate_packets_max", Kind::integer, {1, 1'000'000},
            IOTSKY_FIELD(broker.limits.gate_packets_max),
            "Packets of a connection that wait for a commit; then reading pauses."),
        row("log_pending_bytes_max", Kind::size, {kMiB, 16 * kGiB},
            IOTSKY_FIELD(broker.limits.log_pending_bytes_max),
            "Records that are not committed yet; then what needs a commit waits."),
        row("mailbox_bytes_max", Kind::size, {64 * kKiB, kGiB},
            IOTSKY_FIELD(broker.limits.mailbox_bytes_max),
            "Messages on their way to one thread; then the publishers pause."),
        row("memory_bytes_max", Kind::size, {kMiB, std::int64_t{1} << 40},
            IOTSKY_FIELD(broker.limits.memory_bytes_max),
            "Queued messages held in memory per thread."),
        row("turn_bytes_max", Kind::size, {kKiB, 64 * kKiB},
            IOTSKY_FIELD(broker.limits.turn_bytes_max),
            "Bytes read from one connection before the next one's turn."),
        row("turn_packets_max", Kind::integer, {1, 100'000},
            IOTSKY_FIELD(broker.limits.turn_packets_max),
            "Packets of one connection before the next one's turn."),
        row("slice", Kind::integer, {1, 100'000}, IOTSKY_FIELD(broker.limits.slice),
            "Items of long work (retained messages, queues) done at a time."),
        row("route_entries_max", Kind::integer, {64, 10'000'000},
            IOTSKY_FIELD(broker.route_entries_max),
            "Topics whose receivers are remembered per thread."),
        row("route_bytes_max", Kind::size, {kMiB, 16 * kGiB}, IOTSKY_FIELD(broker.route_bytes_max),
            "Their bytes."),
        row("handshake_budget", Kind::duration, {1, 100}, IOTSKY_FIELD(poller.handshake_budget),
            "Part of a turn that TLS handshakes may take, so that a rush of devices does not hold "
            "up those that are "
            "connected."),
        row("accepts_per_turn", Kind::integer, {1, 1024}, IOTSKY_FIELD(poller.accepts_per_turn),
            "New connections taken per listener and turn."),
        row("service_timeout", Kind::duration, {100, 10 * kMinute},
            IOTSKY_FIELD(broker.limits.service_timeout),
            "For a service of the broker ($me/cert/renew) to answer; after that the client is "
            "closed without an acknowledgement and asks again."),
        row("service_calls_max", Kind::integer, {1, 10'000},
            IOTSKY_FIELD(broker.limits.service_calls_max),
            "Messages of one session that services have not answered; then reading it pauses."),
        row("renewal_interval", Kind::duration, {0, kDay}, IOTSKY_FIELD(renewal_interval),
            "A thing gets another certificate on $me/cert/renew once in this time."),
        row("threads", Kind::integer, {0, 64}, IOTSKY_FIELD(broker.threads),
            "Threads for MQTT connections. 0: one per CPU that the process may use."),
    };
}

/// Rows that count as soon as they are read again.
Rows reloadable(Rows rows) {
    for (Setting<Config>& setting : rows) {
        setting.takes = Takes::reload;
    }
    return rows;
}

Rows joined(Rows first, const Rows& second, const Rows& third) {
    first.insert(first.end(), second.begin(), second.end());
    first.insert(first.end(), third.begin(), third.end());
    return first;
}

Rows api_rows() {
    return {
        row("header_bytes_max", Kind::size, {kKiB, 64 * kKiB}, IOTSKY_FIELD(api.header_bytes_max),
            "Longest header of a request."),
        row("json_bytes_max", Kind::size, {kKiB, 64 * kMiB}, IOTSKY_FIELD(api.json_bytes_max),
            "Longest JSON body."),
        row("csv_bytes_max", Kind::size, {kKiB, 64 * kMiB}, IOTSKY_FIELD(api.csv_bytes_max),
            "Longest roster."),
        row("connections_max", Kind::integer, {1, 10'000}, IOTSKY_FIELD(api.connections_max),
            "Open connections of one listener of the API."),
        row("request_timeout", Kind::duration, {100, 10 * kMinute},
            IOTSKY_FIELD(api.request_time_max), "From a request's first byte to its last."),
        row("answer_timeout", Kind::duration, {100, 10 * kMinute},
            IOTSKY_FIELD(api.answer_time_max), "An answer must be taken whole within this."),
        row("idle_timeout", Kind::duration, {100, 60 * kMinute}, IOTSKY_FIELD(api.idle_time_max),
            "A connection without a request is closed after this."),
        row("threads", Kind::integer, {1, 64}, IOTSKY_FIELD(api.work_threads),
            "Requests worked on at once."),
        row("waiting_max", Kind::integer, {1, 10'000}, IOTSKY_FIELD(api.work_waiting_max),
            "Requests that wait for a thread; more are told to come again."),
        row("wrong_tokens_max", Kind::integer, {1, 1'000}, IOTSKY_FIELD(api.tokens.wrong_max),
            "Wrong tokens of one address within a minute; then it waits, twice as long after each "
            "further one."),
        row("wrong_token_wait_max", Kind::duration, {kSecond, 60 * kMinute},
            IOTSKY_FIELD(api.tokens.wait_max), "The longest such wait."),
    };
}

Rows metrics_rows() {
    return {
        row("things_max", Kind::integer, {0, 10'000}, IOTSKY_FIELD(metrics.things_max),
            "Things of classes that `/metrics` names, the busiest ones. 0: none."),
    };
}

Rows ca_rows() {
    return {text("passphrase_file", Kind::path, IOTSKY_FIELD(ca.passphrase_file),
                 "File whose first line encrypts the CA's keys on disk; mode 0600. Empty: "
                 "`iotsky-ca-passphrase` in "
                 "systemd's $CREDENTIALS_DIRECTORY, and without that the keys lie plain (0600), "
                 "with a warning.")};
}

Rows backup_rows() {
    return {
        row("every", Kind::duration, {0, 365 * kDay}, IOTSKY_FIELD(backup.every),
            "Time between automatic backups, which lie in DIR/backup. 0s: none. They lie on the "
            "same disk: copy them to another (docs/backup.md)."),
        row("keep", Kind::integer, {1, 1'000}, IOTSKY_FIELD(backup.keep),
            "How many automatic backups are kept, and how many of those that are made before an "
            "upgrade changes a database."),
        text("passphrase_file", Kind::path, IOTSKY_FIELD(backup.passphrase_file),
             "File whose first line (8 bytes or more) encrypts both; mode 0600. Empty: they are "
             "not encrypted, like the files beside them."),
    };
}

Rows log_rows() {
    return {
        choice<Config>(
            "level", {"debug", "info", "warn", "error"}, Takes::reload, IOTSKY_FIELD(log.level),
            "The least important line that is written. debug has a line for every packet."),
        choice<Config>("format", {"logfmt", "json"}, Takes::reload, IOTSKY_FIELD(log.format),
                       "One line per event: key=value, or one JSON object."),
        row("queue_lines_max", Kind::integer, {64, 1'000'000}, IOTSKY_FIELD(log.queue_lines_max),
            "Lines that wait for the writer; beyond it the oldest are dropped, so that logging "
            "never stops a message."),
    };
}

std::vector<Section> make_sections() {
    return {
        {"", "Keys at the top of the file.", root_rows()},
        {"server", "Names, addresses and the data folder.", server_rows()},
        {"durability", "What an acknowledgement promises.", durability_rows()},
        {"defaults.class", "Copied into each new class; `iotsky class set` changes one class.",
         reloadable(class_rows())},
        {"limits", "Limits of the broker. Reaching one is told, never silent.",
         joined(connection_rows(), session_rows(), memory_rows())},
        {"api", "The local HTTP endpoint.", api_rows()},
        {"metrics", "`GET /metrics` (docs/metrics.md).", metrics_rows()},
        {"ca", "The certification authorities.", ca_rows()},
        {"backup", "Backups that the broker makes by itself (docs/backup.md).", backup_rows()},
        {"log", "The log, on standard error.", log_rows()},
    };
}

template <typename Access>
Setting<Listener> field(std::string_view key, Kind kind, Range range, Access access,
                        std::string_view help, Takes takes = Takes::restart) {
    return setting<Listener>(key, kind, range, takes, access, help);
}

std::vector<Setting<Listener>> make_listener_rows() {
    return {
        choice<Listener>("protocol", {"mqtt", "mqtts", "ws", "wss", "http", "https", "unix"},
                         Takes::restart, IOTSKY_FIELD(protocol),
                         "mqtts: MQTT over TLS. mqtt: plain. wss: MQTT over WebSocket and TLS. ws: "
                         "the same without TLS. http: the API. https: the API, and MQTT over "
                         "WebSocket at websocket_path. unix: the API on a socket file."),
        field("bind", Kind::text, {}, IOTSKY_FIELD(bind),
              "`host:port`, IPv6 as `[::]:8883`; port 0 takes any free one. Not for unix."),
        field("path", Kind::path, {}, IOTSKY_FIELD(path), "Of the socket file; unix only."),
        choice<Listener>("client_certificate", {"required", "optional", "none"}, Takes::restart,
                         IOTSKY_FIELD(client_certificate),
                         "Whether a client must show a certificate; with TLS only. optional: or "
                         "a token of the API as its password. none: no certificate is asked for; "
                         "https and wss take a token, mqtts those that anonymous_policy_file lets "
                         "in. Left out, it is optional for https, wss and ws."),
        field("anonymous_policy_file", Kind::path, {}, IOTSKY_FIELD(anonymous_policy_file),
              "Policy document (JSON) for clients without a certificate. Empty: they are refused. "
              "A reload reads it again.",
              Takes::reload),
        choice<Listener>("client_ids", {"scoped", "account"}, Takes::restart,
                         IOTSKY_FIELD(client_ids),
                         "scoped: each identity has Client Identifiers of its own and cannot take "
                         "over another's "
                         "session. account: one space for all, as AWS has it, but those that come "
                         "by a token, whose Client Identifiers stay their own."),
        choice<Listener>(
            "durability", {"as-broker", "durable", "relaxed", "memory"}, Takes::restart,
            IOTSKY_FIELD(durability),
            "What an acknowledgement promises to the sessions whose clients come by "
            "this listener, in place of durability.mode. A message waits for the disk "
            "when one session that it is for is durable. What is on disk stays there; a "
            "session in memory whose client comes by a stricter listener begins anew."),
        field("insecure", Kind::flag, {}, IOTSKY_FIELD(insecure),
              "Must be true for mqtt and ws on an address that is not loopback: everybody on the "
              "way can read and "
              "change what is sent."),
        field("strict_revocation", Kind::flag, {}, IOTSKY_FIELD(strict_revocation),
              "A revoked certificate ends TLS with an alert. Otherwise TLS finishes and CONNACK 5 "
              "follows, which "
              "clients can show."),
        field("handshake_timeout", Kind::duration, {100, kMinute}, IOTSKY_FIELD(handshake_timeout),
              "From accepting a connection to the end of its TLS handshake and of its request for "
              "a WebSocket.",
              Takes::reload),
        field("websocket_path", Kind::text, {}, IOTSKY_FIELD(websocket_path),
              "Where MQTT is served; ws, wss and https only."),
        field(
            "allowed_origins", Kind::texts, {}, IOTSKY_FIELD(allowed_origins),
            "Web pages that may open a WebSocket here, beside those of this machine: "
            "`https://board.school.example`, `null` for pages opened from a file. Programs that "
            "are no browsers need none. Chromium opens none from a page of another site to a "
            "listener that asks for a certificate, unless the page has fetched something from it: "
            "give such pages a wss listener with client_certificate none."),
        field("websocket_request_bytes_max", Kind::size, {kKiB, 64 * kKiB},
              IOTSKY_FIELD(websocket_request_bytes_max),
              "Longest request for a WebSocket, cookies included."),
        field("failed_connects_per_minute_per_address", Kind::integer, {0, 1'000'000},
              IOTSKY_FIELD(failed_connects_per_minute_per_address),
              "Failed handshakes and unfinished CONNECTs of one address; connections that work "
              "never count, as a "
              "school sits behind one address. Eight connections to https over which nothing is "
              "asked count as one: browsers open some ahead. 0: no limit.",
              Takes::reload),
        field("send_low_water_bytes", Kind::size, {4 * kKiB, 4 * kMiB},
              IOTSKY_FIELD(send_low_water_bytes),
              "Bytes that the kernel holds unsent for a connection (TCP_NOTSENT_LOWAT)."),
        field("ticket_lifetime", Kind::duration, {kMinute, 7 * kDay}, IOTSKY_FIELD(ticket_lifetime),
              "How long a device may resume its TLS session instead of a full handshake. Its "
              "certificate is "
              "looked up again all the same."),
        field("pre_connect_bytes_max", Kind::size, {0, kMiB},
              IOTSKY_FIELD(limits.pre_connect_bytes_max),
              "This and the keys below: in place of the same key of [limits], for the connections "
              "of this listener. 0: as there."),
        field("connect_timeout", Kind::duration, {0, 10 * kMinute},
              IOTSKY_FIELD(limits.connect_timeout), kOwnLimit),
        field("packet_timeout", Kind::duration, {0, 60 * kMinute},
              IOTSKY_FIELD(limits.packet_timeout), kOwnLimit),
        field("stuck_reader_timeout", Kind::duration, {0, 60 * kMinute},
              IOTSKY_FIELD(limits.stuck_reader_timeout), kOwnLimit),
        field("packet_bytes_max", Kind::size, {0, 268'435'455},
              IOTSKY_FIELD(limits.packet_bytes_max), kOwnLimit),
        field("inflight_max", Kind::integer, {0, broker::kInflightMax},
              IOTSKY_FIELD(limits.inflight_max), kOwnLimit),
        field("queue_bytes_max", Kind::size, {0, std::int64_t{1} << 40},
              IOTSKY_FIELD(limits.queue_bytes_max),
              "The same; the queue of a session is that of the listener by which its client came "
              "last."),
        field("queue_messages_max", Kind::integer, {0, 100'000'000},
              IOTSKY_FIELD(limits.queue_messages_max), kOwnLimit),
        field("keep_alive_max", Kind::duration, {0, 65'535 * kSecond},
              IOTSKY_FIELD(limits.keep_alive_max), kOwnLimit),
        field("connections_max", Kind::integer, {0, 1'000'000},
              IOTSKY_FIELD(limits.connections_max),
              "Open connections of this listener; that of [limits] holds as well."),
    };
}

#undef IOTSKY_FIELD

}  // namespace

std::span<const Section> config_sections() {
    static const std::vector<Section> sections = make_sections();
    return sections;
}

const Setting<Config>* find_limit(std::string_view key) {
    const std::span<const Section> sections = config_sections();
    const auto limits = std::ranges::find(sections, "limits", &Section::name);
    const auto at = std::ranges::find(limits->settings, key, &Setting<Config>::key);
    return at == limits->settings.end() ? nullptr : &*at;
}

std::span<const Setting<Listener>> listener_settings() {
    static const std::vector<Setting<Listener>> rows = make_listener_rows();
    return rows;
}

}  // namespace iotsky::apps
