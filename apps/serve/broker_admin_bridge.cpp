#include "apps/serve/broker_admin_bridge.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <set>

#include "apps/serve/refusal_bridge.hpp"
#include "base/text.hpp"
#include "broker/net/data_plane.hpp"

namespace iotsky::apps {
namespace {

using broker::ConnectionSummary;
using broker::SessionSummary;

constexpr std::size_t kVisits = 4096;

template <typename Summary>
std::string thing_path(const Summary& summary) {
    return summary.thing_id.empty() ? std::string{} : summary.identity;
}

/// What connections and sessions have in common.
template <typename Summary>
bool selects_identity(const api::ClientSelector& which, const Summary& summary) {
    const std::string path = thing_path(summary);
    const auto parts = split(path, '/');
    const auto equal = [](const std::optional<std::string>& wanted, std::string_view have) {
        return !wanted || *wanted == have;
    };
    return equal(which.class_name, summary.class_name) && equal(which.thing_path, path) &&
           (!which.project || (parts.size() == 3 && parts[1] == *which.project)) &&
           equal(which.client_id, summary.client_id) && equal(which.identity, summary.identity);
}

api::SessionInfo info_of(const SessionSummary& summary) {
    api::SessionInfo info;
    info.id = format_session(summary.ref);
    info.client_id = summary.client_id;
    info.identity = summary.identity;
    info.thing_path = thing_path(summary);
    info.connected = summary.connected;
    info.clean_session = summary.sid == 0;
    info.since = summary.since;
    info.subscriptions = summary.filters.size();
    info.queued_messages = summary.queued_messages;
    info.queued_bytes = summary.queued_bytes;
    info.inflight = summary.in_flight;
    for (const SessionSummary::Filter& filter : summary.filters) {
        info.filters.push_back({filter.filter, filter.qos});
    }
    return info;
}

api::RetainedInfo info_of(const broker::Retained& retained) {
    return {retained.topic, retained.qos, retained.payload.size(),
            retained.payload.substr(0, api::kRetainedPreviewBytes), retained.set_at};
}

Error no_session() {
    return make_error(Errc::not_found, "E4130", "There is no such session.",
                      "It has ended, or the id is mistyped.", "iotsky session list");
}

void add(api::HistogramStats& into, const Histogram& from) {
    into.counts.resize(Histogram::kBuckets);
    if (into.upper_s.empty()) {
        for (std::size_t i = 0; i + 1 < Histogram::kBuckets; ++i) {
            into.upper_s.push_back(Histogram::upper_s(i));
        }
    }
    for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
        into.counts[i] += from.count(i);
    }
    into.sum_s += from.sum_s();
}

void add_broker(api::BrokerStats& out, const broker::Broker& broker) {
    using Stats = broker::ShardStats;
    for (std::size_t qos = 0; qos < 3; ++qos) {
        std::uint64_t in = 0;
        std::uint64_t sent = 0;
        for (const auto& stats : broker.shared().stats) {
            in += stats->publishes_in[qos].get();
            sent += stats->publishes_out[qos].get();
        }
        out.publish_received.push_back({{std::to_string(qos)}, in});
        out.publish_sent.push_back({{std::to_string(qos)}, sent});
    }
    const std::uint64_t connected = broker.total(&Stats::connections);
    const std::uint64_t sessions = broker.total(&Stats::sessions);
    out.sessions_connected = std::min(connected, sessions);
    out.sessions_disconnected = sessions - out.sessions_connected;
    out.takeovers = {{{"same_board"}, broker.total(&Stats::take_overs_same_board)},
                     {{"clone"}, broker.total(&Stats::take_overs_clone)}};
    out.publish_bytes_received = broker.total(&Stats::payload_bytes_in);
    out.publish_bytes_sent = broker.total(&Stats::payload_bytes_out);
    out.publish_dropped = {{{"quota"}, broker.total(&Stats::dropped_quota)},
                           {{"denied"}, broker.total(&Stats::dropped_denied)},
                           {{"slow_reader"}, broker.total(&Stats::dropped_output)},
                           {{"memory"}, broker.total(&Stats::dropped_memory)}};
    out.brakes = {{{"publish"}, broker.total(&Stats::slowed_publish)},
                  {{"subscribe"}, broker.total(&Stats::slowed_subscribe)},
                  {{"receiver"}, broker.total(&Stats::slowed_receiver)},
                  {{"clone"}, broker.total(&Stats::clones_refused)}};
    out.queued_messages = broker.total(&Stats::queued_messages);
    out.queued_bytes = broker.total(&Stats::queued_bytes);
    out.subscriptions = broker.total(&Stats::subscriptions);
    out.retained_messages = broker.shared().retained.size();
    out.retained_bytes = broker.shared().retained.bytes();
}

void add_log(api::BrokerStats& out, const broker::DurableLog& log) {
    const broker::LogHealth health = log.health();
    out.log_accepting = health.accepting;
    out.log_reason = health.reason;
    out.log_pending_bytes = health.pending_bytes;
    if (const Histogram* const commits = log.commit_seconds()) {
        add(out.store_commit_seconds.emplace(), *commits);
    }
}

void add_network(api::BrokerStats& out, const net::IoThreads& io) {
    for (unsigned thread = 0; thread < io.size(); ++thread) {
        const net::NetCounters& counters = io.counters(thread);
        out.handshakes_waiting += counters.handshakes_waiting.get();
        add(out.handshake_seconds, counters.handshake_seconds);
        add(out.event_loop_lag_seconds, counters.turn_seconds);
    }
}

void add_handshakes(api::BrokerStats& out, const std::vector<net::ListenerSums>& listeners) {
    for (const net::ListenerSums& sums : listeners) {
        if (sums.protocol != net::Protocol::mqtts) {
            continue;
        }
        out.handshakes.push_back({{sums.name, "ok", "", "no"}, sums.handshakes_full});
        out.handshakes.push_back({{sums.name, "ok", "", "yes"}, sums.handshakes_resumed});
        for (const auto& [fault, count] : sums.handshakes_failed) {
            out.handshakes.push_back({{sums.name, "failed", fault, "no"}, count});
        }
    }
}

void add_connects(api::BrokerStats& out, const broker::Shared& shared,
                  const std::vector<net::ListenerSums>& listeners) {
    for (const net::ListenerSums& sums : listeners) {
        const broker::ListenerState& state = shared.listener(sums.name);
        out.connects.push_back({{sums.name, "accepted", ""}, state.connects_accepted});
        if (state.connects_unreadable > 0) {
            out.connects.push_back({{sums.name, "refused", "protocol"}, state.connects_unreadable});
        }
    }
}

/// The things of classes with the most messages, those of ended connections included.
void add_busiest(api::BrokerStats& out, const broker::Shared& shared,
                 const std::vector<ConnectionSummary>& all, std::size_t count) {
    std::map<std::string, std::uint64_t> by_thing;
    for (auto& [name, messages] : shared.principals.messages()) {
        by_thing[name] = messages;
    }
    for (const ConnectionSummary& summary : all) {
        if (const auto thing = by_thing.find(summary.identity); thing != by_thing.end()) {
            thing->second += summary.publishes_in + summary.publishes_out;
        }
    }
    std::vector<std::pair<std::uint64_t, std::string>> busiest;
    for (const auto& [name, messages] : by_thing) {
        if (messages > 0) {  // else it may be but the place of a retained message
            busiest.emplace_back(messages, name);
        }
    }
    const std::size_t shown = std::min(count, busiest.size());
    std::partial_sort(busiest.begin(), busiest.begin() + static_cast<std::ptrdiff_t>(shown),
                      busiest.end(), std::greater<>{});
    for (std::size_t i = 0; i < shown; ++i) {
        const std::string& name = busiest[i].second;
        out.busiest_things.push_back({{name.substr(0, name.find('/')), name}, busiest[i].first});
    }
}

/// The things that are connected, and what is in flight to them.
void add_live(api::BrokerStats& out, const std::vector<ConnectionSummary>& all) {
    std::set<std::pair<std::string, std::string>> things;  // class, id
    for (const ConnectionSummary& summary : all) {
        out.inflight_messages += summary.in_flight;
        if (!summary.thing_id.empty()) {
            things.emplace(summary.class_name, summary.thing_id);
        }
    }
    std::map<std::string, std::uint64_t> by_class;
    for (const auto& [class_name, id] : things) {
        ++by_class[class_name];
    }
    for (const auto& [class_name, count] : by_class) {
        out.things_connected.push_back({{class_name}, count});
    }
}

}  // namespace

bool selects(const api::ClientSelector& which, const ConnectionSummary& summary) {
    return selects_identity(which, summary) &&
           (!which.listener || *which.listener == summary.listener) &&
           (!which.address || *which.address == summary.address) &&
           (!which.certificate || *which.certificate == summary.certificate_id);
}

bool selects(const api::ClientSelector& which, const SessionSummary& summary) {
    return selects_identity(which, summary);
}

std::string format_session(broker::SessionRef ref) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text = "s";
    for (int shift = 60; shift >= 0; shift -= 4) {
        text += kHex[(ref.packed() >> static_cast<unsigned>(shift)) & 15U];
    }
    return text;
}

std::optional<broker::SessionRef> parse_session(std::string_view text) {
    std::uint64_t packed = 0;
    if (text.size() != 17 || text[0] != 's') {
        return std::nullopt;
    }
    const auto [end, fault] =
        std::from_chars(text.data() + 1, text.data() + text.size(), packed, 16);
    if (fault != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    broker::SessionRef ref;
    ref.gen = static_cast<std::uint32_t>(packed);
    ref.slot = static_cast<std::uint32_t>(packed >> 32U) & 0xffffffU;
    ref.thread = static_cast<std::uint32_t>(packed >> 56U) & 0xffU;
    return ref;
}

BrokerAdminBridge::BrokerAdminBridge(
    broker::Broker& broker, const net::DataPlane& plane, const RefusalBridge& refusals,
    std::function<std::string(const std::string&)> listener_protocol, std::size_t things_max)
    : broker_(broker),
      plane_(plane),
      refusals_(refusals),
      listener_protocol_(std::move(listener_protocol)),
      things_max_(things_max) {}

api::ConnectionInfo BrokerAdminBridge::info_of(const ConnectionSummary& summary) const {
    api::ConnectionInfo info;
    info.client_id = summary.client_id;
    info.identity = summary.identity;
    info.thing_path = thing_path(summary);
    const bool v6 = summary.address.find(':') != std::string::npos;
    info.address =
        (v6 ? "[" + summary.address + "]" : summary.address) + ":" + std::to_string(summary.port);
    info.listener = summary.listener;
    info.protocol = listener_protocol_(summary.listener);
    info.tls_version = summary.tls_version;
    info.since = summary.since;
    info.keep_alive_s = summary.keep_alive_s;
    info.clean_session = summary.clean_session;
    info.in_messages = summary.publishes_in;
    info.out_messages = summary.publishes_out;
    info.queued = summary.queued;
    return info;
}

void BrokerAdminBridge::connections(api::ClientSelector which, std::size_t limit,
                                    api::Answer<std::vector<api::ConnectionInfo>> answer) {
    broker_.connections([this, which = std::move(which), limit,
                         answer = std::move(answer)](std::vector<ConnectionSummary> all) {
        std::erase_if(all,
                      [&](const ConnectionSummary& summary) { return !selects(which, summary); });
        std::sort(all.begin(), all.end(),
                  [](const ConnectionSummary& a, const ConnectionSummary& b) {
                      return std::tie(a.client_id, a.identity) < std::tie(b.client_id, b.identity);
                  });
        std::vector<api::ConnectionInfo> out;
        for (std::size_t i = 0; i < std::min(limit, all.size()); ++i) {
            out.push_back(info_of(all[i]));
        }
        answer(std::move(out));
    });
}

void BrokerAdminBridge::kick(api::ClientSelector which, api::Answer<std::uint64_t> answer) {
    broker_.kick(
        [which = std::move(which)](const ConnectionSummary& summary) {
            return selects(which, summary);
        },
        [answer = std::move(answer)](std::size_t closed) { answer(std::uint64_t{closed}); });
}

void BrokerAdminBridge::sessions(api::ClientSelector which, std::size_t limit,
                                 api::Answer<std::vector<api::SessionInfo>> answer) {
    broker_.sessions(true, [which = std::move(which), limit,
                            answer = std::move(answer)](const std::vector<SessionSummary>& all) {
        std::vector<api::SessionInfo> out;
        for (const SessionSummary& summary : all) {
            if (selects(which, summary)) {
                out.push_back(apps::info_of(summary));
                out.back().filters.clear();
            }
        }
        std::sort(out.begin(), out.end(), [](const api::SessionInfo& a, const api::SessionInfo& b) {
            return std::tie(a.client_id, a.id) < std::tie(b.client_id, b.id);
        });
        out.resize(std::min(limit, out.size()));
        answer(std::move(out));
    });
}

void BrokerAdminBridge::session(std::string id, api::Answer<api::SessionInfo> answer) {
    const auto ref = parse_session(id);
    if (!ref) {
        answer(no_session());
        return;
    }
    broker_.sessions(
        true, [ref = *ref, answer = std::move(answer)](const std::vector<SessionSummary>& all) {
            const auto at =
                std::find_if(all.begin(), all.end(),
                             [&](const SessionSummary& summary) { return summary.ref == ref; });
            if (at == all.end()) {
                answer(no_session());
            } else {
                answer(apps::info_of(*at));
            }
        });
}

void BrokerAdminBridge::drop_session(std::string id, api::Answer<void> answer) {
    const auto ref = parse_session(id);
    if (!ref) {
        answer(no_session());
        return;
    }
    broker_.drop_session(*ref, [answer = std::move(answer)](bool dropped) {
        answer(dropped ? Result<void>{} : Result<void>{no_session()});
    });
}

// The retained index may be read on any thread; the io threads need not be asked.
void BrokerAdminBridge::retained(std::string filter, std::string after, std::size_t limit,
                                 api::Answer<std::vector<api::RetainedInfo>> answer) {
    const broker::RetainedIndex& index = broker_.shared().retained;
    std::vector<broker::RetainedPtr> found;
    broker::RetainedIndex::Cursor cursor;
    while (!cursor.done) {
        index.match(filter, index.rev(), cursor, kVisits, found);
    }
    std::erase_if(found,
                  [&](const broker::RetainedPtr& message) { return message->topic <= after; });
    std::sort(found.begin(), found.end(),
              [](const broker::RetainedPtr& a, const broker::RetainedPtr& b) {
                  return a->topic < b->topic;
              });
    std::vector<api::RetainedInfo> out;
    for (std::size_t i = 0; i < std::min(limit, found.size()); ++i) {
        out.push_back(apps::info_of(*found[i]));
    }
    answer(std::move(out));
}

void BrokerAdminBridge::delete_retained(std::string filter, api::Answer<std::uint64_t> answer) {
    broker_.clear_retained(std::move(filter), [answer = std::move(answer)](std::size_t count) {
        answer(std::uint64_t{count});
    });
}

void BrokerAdminBridge::publish(api::PublishOrder order, api::Answer<std::uint64_t> answer) {
    std::vector<broker::Subscriber> matched;
    static_cast<void>(broker_.shared().index.match(order.topic, matched));
    std::vector<broker::SessionRef> sessions;
    for (const broker::Subscriber& subscriber : matched) {
        if (subscriber.kind == broker::TargetKind::session) {
            sessions.push_back(subscriber.session);
        }
    }
    std::sort(sessions.begin(), sessions.end());
    const auto count = static_cast<std::uint64_t>(std::unique(sessions.begin(), sessions.end()) -
                                                  sessions.begin());
    broker_.publish({std::move(order.topic), std::move(order.payload), order.qos, order.retain},
                    [answer = std::move(answer), count] { answer(count); });
}

void BrokerAdminBridge::add_listeners(api::BrokerStats& out,
                                      const std::vector<ConnectionSummary>& all) const {
    std::map<std::string, std::uint64_t> open;
    for (const ConnectionSummary& summary : all) {
        ++open[summary.listener];
    }
    const std::vector<net::ListenerSums> listeners = plane_.listeners();
    for (const net::ListenerSums& sums : listeners) {
        out.connections.push_back({{sums.name, listener_protocol_(sums.name)}, open[sums.name]});
    }
    add_handshakes(out, listeners);
    add_connects(out, broker_.shared(), listeners);
}

api::BrokerStats BrokerAdminBridge::sums() const {
    api::BrokerStats out;
    add_broker(out, broker_);
    add_log(out, broker_.shared().log);
    add_network(out, plane_.io());
    for (api::LabelledCount& row : refusals_.connects()) {
        out.connects.push_back(std::move(row));
    }
    out.refusals = refusals_.counts();
    out.failed_handshakes = refusals_.failed_handshakes();
    return out;
}

void BrokerAdminBridge::stats(api::Answer<api::BrokerStats> answer) {
    broker_.connections(
        [this, answer = std::move(answer)](const std::vector<ConnectionSummary>& all) {
            api::BrokerStats out = sums();
            add_listeners(out, all);
            add_live(out, all);
            add_busiest(out, broker_.shared(), all, things_max_);
            answer(std::move(out));
        });
}

}  // namespace iotsky::apps
