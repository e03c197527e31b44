#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "acl/auth_context.hpp"
#include "base/clock.hpp"
#include "base/siphash.hpp"
#include "broker/backlog.hpp"
#include "broker/identity.hpp"
#include "broker/ids.hpp"
#include "broker/inbound_ids.hpp"
#include "broker/message.hpp"
#include "broker/options.hpp"
#include "broker/pressure.hpp"
#include "broker/principals.hpp"
#include "broker/project_queues.hpp"
#include "broker/retained_index.hpp"
#include "broker/ring.hpp"

namespace iotsky::broker {

struct Connection;

/// (scope, Client Identifier): two principals never meet in one session (`decisions.md` 5).
struct SessionKey {
    std::string scope;
    std::string client_id;
    /// One text for both: a scope holds no NUL (ids and constants of ours).
    [[nodiscard]] std::string text() const { return text(scope, client_id); }
    [[nodiscard]] static std::string text(std::string_view scope, std::string_view client_id) {
        std::string key;
        key.reserve(scope.size() + 1 + client_id.size());
        key.append(scope).push_back('\0');
        key.append(client_id);
        return key;
    }
    friend bool operator==(const SessionKey&, const SessionKey&) = default;
    friend auto operator<=>(const SessionKey&, const SessionKey&) = default;
};

/// One outbound QoS 1 or 2 message of a session, queued or on its way.
struct OutEntry {
    enum class State : std::uint8_t {
        queued,
        sent,      ///< PUBLISH is out (or in the gate); waits for PUBACK or PUBREC
        released,  ///< QoS 2: PUBREC came, PUBREL is out (or in the gate); never goes back to
                   ///< PUBLISH
        done,      ///< acknowledged, waits for those in front of it to leave the ring
    };
    MsgRef message;  ///< dropped once PUBLISH will never be sent again
    Mid mid = 0;
    std::uint64_t order = 0;  ///< n of SENT: the order of resending [MQTT-4.6.0-1]
    TurnNo turn = 0;          ///< of the last record about it; its packets wait for it
    std::uint32_t cost_bytes = 0;
    std::uint16_t packet_id = 0;
    State state = State::queued;
    std::uint8_t qos = 0;
    Form form = Form::plain;
    bool recheck =
        false;  ///< rights changed since it was queued: evaluate iot:Receive when it is sent
};

/// Outbound messages of one QoS, in order: first those in flight, then the queue.
struct Lane {
    Ring<OutEntry> entries;
    std::size_t begun = 0;      ///< entries[0..begun) are not `queued`
    std::size_t in_flight = 0;  ///< of those, not `done`
};

/// One Will, checked when it was set and again when it fires.
struct Will {
    std::string topic;  ///< canonical
    std::string payload;
    std::uint8_t qos = 0;
    bool retain = false;
};

/// A subscription as its session holds it. The index holds one entry for each canonical filter.
struct Subscription {
    std::vector<std::string> canonical;  ///< `$me/#` is two
    std::uint8_t qos = 0;
    Form form = Form::plain;
    bool masked = false;
    Rev replayed_to = 0;  ///< retained messages up to this revision came (or come) by replay
};

/// Retained messages still to be sent for a new subscription, in slices.
struct Replay {
    std::string filter;  ///< canonical
    std::uint8_t qos = 0;
    Form form = Form::plain;
    Rev rev_max = 0;
    RetainedIndex::Cursor cursor;
};

/// A Session (section 4.1): lives on its home thread from creation to deletion, over any number of
/// connections. Confined to that thread.
struct Session {
    SessionKey key;
    SessionRef ref;
    Sid sid = 0;        ///< number of its rows on disk; 0: it has none
    bool kept = false;  ///< Clean Session 0: outlives its connection [MQTT-4.1.0-1]
    Durability durability = Durability::durable;
    std::uint64_t epoch = 0;
    std::shared_ptr<const Identity> identity;
    std::shared_ptr<const acl::AuthContext> rights;
    Connection* connection = nullptr;  ///< null while the client is away

    const ConnectionLimits* limits = nullptr;  ///< of the listener that its client came by last
    std::shared_ptr<Principal> principal;  ///< what its identity uses up; null without limits of a
                                           ///< class

    std::map<std::string, Subscription, std::less<>>
        subscriptions;  ///< by the filter as the client wrote it
    std::vector<Replay> replays;
    Rev replayed_max =
        0;  ///< highest `replayed_to`; a live retained message above it is never a repetition

    Lane lane1;  ///< QoS 1
    Lane lane2;  ///< QoS 2: a window of its own, so that a stuck disk does not hold QoS 1
    std::uint64_t next_order = 1;
    std::uint16_t last_packet_id = 0;
    std::size_t queued_messages = 0;  ///< in memory and on disk, in flight included
    std::size_t queued_bytes = 0;     ///< queue_cost of those whose PUBLISH may still be sent
    Backlog backlog;                  ///< what of them the disk alone holds
    std::size_t queue_bytes_max = 0;  ///< the lower one of its listener's and its class's
    std::shared_ptr<ProjectQueue> project_queue;  ///< its bytes count there, too; null outside
                                                  ///< projects
    bool looks_at_shared_quotas = false;          ///< QueueAccount will see whether others did
    Pressure pressure = Pressure::none;           ///< as publishers see it
    std::uint32_t service_calls = 0;  ///< its messages that services have not answered yet
    TimePoint publish_slowed_told{};  ///< when its client was told last that it is too fast
    TimePoint subscribe_slowed_told{};

    InboundIds inbound;  ///< QoS 2 identifiers that were received and not yet released
    std::optional<Will> will;
    TurnNo last_turn =
        0;  ///< of the last record about this session: what a repeated answer waits for

    WallTime created_at{};
    std::optional<TimePoint> expires_at;  ///< set while away
    bool expiry_noted = false;            ///< SessionEnd will look at it
    bool recheck = false;  ///< rights changed and mail routed before may still arrive
    bool sealed = false;   ///< its principal was revoked: nothing is delivered, it is being ended
    bool in_work_list = false;  ///< has sliced work (replays) to go on with

    std::uint64_t dropped_quota = 0;
    std::uint64_t dropped_expired = 0;  ///< waited for too long
    std::uint64_t dropped_denied = 0;
    std::uint64_t dropped_output = 0;  ///< QoS 0 for a reader that is too slow

    [[nodiscard]] Lane& lane(std::uint8_t qos) noexcept { return qos == 2 ? lane2 : lane1; }
    /// Whether its state is on disk: its records are in the log.
    [[nodiscard]] bool persistent() const noexcept { return sid != 0; }
    /// Messages that were not sent yet, of those that memory holds.
    [[nodiscard]] std::size_t unsent() const noexcept {
        return lane1.entries.size() - lane1.begun + lane2.entries.size() - lane2.begun;
    }
    /// Whether a new message would wait in its queue.
    [[nodiscard]] bool keeps_waiting() const noexcept {
        return connection == nullptr || unsent() > 0 || !backlog.ranges.empty();
    }
    /// Of queued_bytes, those that memory holds.
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return queued_bytes - std::min(queued_bytes, backlog.bytes);
    }
};

}  // namespace iotsky::broker
