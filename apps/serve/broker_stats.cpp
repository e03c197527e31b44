#include "apps/serve/broker_stats.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "apps/serve/refusal_bridge.hpp"
#include "broker/net/data_plane.hpp"

namespace iotsky::apps {
namespace {

using broker::ConnectionSummary;

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
                           {{"expired"}, broker.total(&Stats::dropped_expired)},
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

void add_handshakes(api::BrokerStats& out, const net::ListenerSums& sums) {
    if (!net::has_tls(sums.protocol)) {
        return;
    }
    out.handshakes.push_back({{sums.name, "ok", "", "no"}, sums.handshakes_full});
    out.handshakes.push_back({{sums.name, "ok", "", "yes"}, sums.handshakes_resumed});
    for (const auto& [fault, count] : sums.handshakes_failed) {
        out.handshakes.push_back({{sums.name, "failed", fault, "no"}, count});
    }
}

void add_websockets(api::BrokerStats& out, const net::ListenerSums& sums) {
    if (!net::has_websocket(sums.protocol)) {
        return;
    }
    out.websockets.push_back({{sums.name, "ok", ""}, sums.websockets_opened});
    for (const auto& [fault, count] : sums.websockets_failed) {
        out.websockets.push_back({{sums.name, "failed", fault}, count});
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

void add_refusals(api::BrokerStats& out, const RefusalBridge& refusals) {
    for (api::LabelledCount& row : refusals.connects()) {
        out.connects.push_back(std::move(row));
    }
    out.refusals = refusals.counts();
    out.failed_handshakes = refusals.failed_handshakes();
}

/// What each listener counted, and how many of the connections are its own.
void add_listeners(api::BrokerStats& out, const StatsSources& from,
                   const std::vector<ConnectionSummary>& all) {
    std::map<std::string, std::uint64_t> open;
    for (const ConnectionSummary& summary : all) {
        ++open[summary.listener];
    }
    const std::vector<net::ListenerSums> listeners = from.plane.listeners();
    for (const net::ListenerSums& sums : listeners) {
        out.connections.push_back(
            {{sums.name, from.listener_protocol(sums.name)}, open[sums.name]});
        add_handshakes(out, sums);
        add_websockets(out, sums);
    }
    add_connects(out, from.broker.shared(), listeners);
}

}  // namespace

api::BrokerStats collect_stats(const StatsSources& from,
                               const std::vector<ConnectionSummary>& connections) {
    api::BrokerStats out;
    add_broker(out, from.broker);
    add_log(out, from.broker.shared().log);
    add_network(out, from.plane.io());
    add_refusals(out, from.refusals);
    add_listeners(out, from, connections);
    add_live(out, connections);
    add_busiest(out, from.broker.shared(), connections, from.things_max);
    return out;
}

}  // namespace iotsky::apps
